"""What fits into a context, and what a batch weighs, for both families."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import Request
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.backend import Backend
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models


def backend(name: str) -> Backend:
    folder = {"llama": tiny_models.tiny_llama, "bart": tiny_models.tiny_bart, "t5": tiny_models.tiny_t5}[name]()
    model = load_model(str(folder), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    return model.backend


@pytest.mark.parametrize("name", ["llama", "bart"])
def test_padded_schedules_count_context_and_greedy_steps(name: str) -> None:
    found = backend(name)
    context = np.asarray([5, 6, 7, 8], dtype=np.int32)
    planned = Backend.schedule(found, [Request(context, ((1, 2, 3),), steps=2)], BatchLimit())
    # Of two greedy tokens one is read; an encoder-decoder also reads its start token.
    assert planned.computed == [4 + 1 + (0 if found.is_decoder_only else 1)]


def test_padding_uses_the_tokenizers_token_or_the_first() -> None:
    assert backend("t5").pad_id == 0
    assert isinstance(backend("llama").pad_id, int)
