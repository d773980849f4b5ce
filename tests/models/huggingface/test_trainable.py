"""A Hugging Face model is what a training asks for, and says so without loading its weights."""

from __future__ import annotations

from phraseproof.core import Prompt
from phraseproof.models import ModelOptions
from phraseproof.models.huggingface.provider import load
from phraseproof.models.huggingface.trainable import ModelToTrain
from support import tiny_models


def test_only_the_network_needs_the_weights() -> None:
    model = load(str(tiny_models.tiny_t5()), ModelOptions(device="cpu", max_length=50))
    to_train: ModelToTrain = model
    assert (to_train.is_decoder_only, to_train.context_limit, to_train.dtype) == (False, 50, "float32")
    assert to_train.device == "cpu"
    (encoded,) = to_train.encode([Prompt("the king", ("A",))])
    assert to_train.tokenizer.decode(encoded.context, skip_special_tokens=True) == "the king"
    assert not to_train.has_chat_template
    assert to_train.pad_id == to_train.tokenizer.pad_token_id
    assert not model.weights.is_loaded
    assert to_train.network is model.weights.network
    assert model.weights.is_loaded
