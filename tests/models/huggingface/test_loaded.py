"""Weights are read once, when they are first needed."""

from __future__ import annotations

import pytest

from phraseproof.core import Prompt
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models


@pytest.fixture
def model() -> HuggingFaceModel:
    found = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu"))
    assert isinstance(found, HuggingFaceModel)
    return found


def test_names_and_forecasts_load_nothing(model: HuggingFaceModel) -> None:
    assert model.identity.architecture == "LlamaForCausalLM"
    assert model.forecast_tokens([Prompt("the king", ("A", "B"))]).unique > 0
    assert (model.weights.virtual_tokens, model.weights.prefix_tokens) == (0, 0)
    assert not model.weights.is_loaded


def test_weights_are_loaded_once_and_counted_before_they_are_packed(model: HuggingFaceModel) -> None:
    loaded = model.weights.load()
    packed = model.weights.pack_layers()
    assert model.weights.load() is loaded
    assert model.weights.pack_layers() == packed
    assert model.num_parameters == sum(weight.numel() for weight in tiny_models.llama_network(500).parameters())
    assert model.weights.vocabulary_size == loaded.network.get_input_embeddings().weight.shape[0]


def test_scored_models_are_read_again_for_training(model: HuggingFaceModel) -> None:
    assert model.with_plain_layers() is model
    model.score_options([Prompt("the king", ("A", "B"))])
    again = model.with_plain_layers()
    assert again is not model
    assert not again.weights.has_packed_layers


def test_layers_stay_plain_under_a_network_that_touches_its_weights() -> None:
    """LongCat's router reads the weights of its linear layer instead of calling it."""
    from support.architecture_audit import folder

    found = load_model(str(folder("longcat_flash", encoder_decoder=False)), ModelOptions(device="cpu"))
    assert isinstance(found, HuggingFaceModel)
    assert found.weights.pack_layers() == 0
    assert all(isinstance(score, float) for score in found.score_options([Prompt("the king", ("A", "B"))])[0].logprobs)
