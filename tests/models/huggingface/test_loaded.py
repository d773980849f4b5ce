"""Weights are read once, when they are first needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from phraseproof.core import Prompt, WarnsOfPrecision
from phraseproof.errors import ModelError, UsageError
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


@pytest.mark.parametrize("build", [tiny_models.tiny_llama, tiny_models.tiny_t5])
def test_in_bfloat16_a_cpu_with_units_for_it_computes_only_products_in_it(
    build: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(pays: bool, dtype: str = "bfloat16") -> HuggingFaceModel:
        monkeypatch.setattr("phraseproof.engine.cpu.half_products.half_products_pay", lambda: pays)
        found = load_model(str(build()), ModelOptions(device="cpu", dtype=dtype))
        assert isinstance(found, HuggingFaceModel)
        return found

    prompts = [Prompt(f"the king of number {number}", ("A", "B", "the long way")) for number in range(6)]
    mixed = load(pays=True)
    assert mixed.identity.settings["half_precision"] == "products"
    found = [scores.logprobs for scores in mixed.score_options(prompts)]
    assert mixed.network.dtype == torch.float32
    # States do not depend on what was scored before.
    np.testing.assert_array_equal(load(pays=True).represent(prompts), mixed.represent(prompts))
    plain = load(pays=False)
    assert "half_precision" not in plain.identity.settings
    rounded = [scores.logprobs for scores in plain.score_options(prompts)]
    assert plain.network.dtype == torch.bfloat16
    exact = [scores.logprobs for scores in load(pays=True, dtype="float32").score_options(prompts)]
    error, of_rounded = (np.abs(np.subtract(some, exact)).max() for some in (found, rounded))
    assert 0 < error < of_rounded


def test_a_cpu_that_emulates_half_precision_is_warned_of(
    model: HuggingFaceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phraseproof.engine.cpu.half_products.emulated", lambda dtype: dtype == "bfloat16")
    assert model.precision_warning() is None
    half = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu", dtype="bfloat16"))
    assert isinstance(half, WarnsOfPrecision)
    assert half.precision_warning() == (
        "bfloat16 is emulated on this CPU: it takes less memory than --dtype float32, and more time"
    )


def test_layers_stay_plain_under_a_network_that_touches_its_weights() -> None:
    """LongCat's router reads the weights of its linear layer instead of calling it."""
    from support.architecture_audit import folder

    found = load_model(str(folder("longcat_flash", encoder_decoder=False)), ModelOptions(device="cpu"))
    assert isinstance(found, HuggingFaceModel)
    assert found.weights.pack_layers() == 0
    assert all(isinstance(score, float) for score in found.score_options([Prompt("the king", ("A", "B"))])[0].logprobs)


def test_in_bfloat16_such_a_network_is_refused_or_computed_in_bfloat16_throughout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from support.architecture_audit import folder

    monkeypatch.setattr("phraseproof.engine.cpu.half_products.half_products_pay", lambda: True)
    path, prompts = str(folder("longcat_flash", encoder_decoder=False)), [Prompt("the king", ("A", "B"))]
    mixed = load_model(path, ModelOptions(device="cpu", dtype="bfloat16"))
    assert isinstance(mixed, HuggingFaceModel)
    for _ in range(2):  # a refused network stays one, and is not taken for a float32 one
        with pytest.raises(ModelError, match=r"where only products are in bfloat16.*half_precision=all"):
            mixed.score_options(prompts)
    whole = load_model(path, ModelOptions(device="cpu", dtype="bfloat16", args={"half_precision": "all"}))
    assert isinstance(whole, HuggingFaceModel)
    assert "half_precision" not in whole.identity.settings
    assert len(whole.score_options(prompts)[0].logprobs) == 2
    assert whole.network.dtype == torch.bfloat16
    with pytest.raises(UsageError, match="expected half_precision=all, got 'some'"):
        load_model(path, ModelOptions(args={"half_precision": "some"}))
