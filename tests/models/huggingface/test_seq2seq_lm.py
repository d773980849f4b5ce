"""Encoder-decoder networks: prompt and option have a context window each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.huggingface.seq2seq_lm import Seq2SeqLMBackend
from support import tiny_models


def backend(folder: Callable[[], Path], max_length: int | None = None) -> Seq2SeqLMBackend:
    model = load_model(str(folder()), ModelOptions(device="cpu", max_length=max_length))
    assert isinstance(model, HuggingFaceModel)
    assert isinstance(model.backend, Seq2SeqLMBackend)
    return model.backend


def test_an_option_takes_no_room_of_the_prompt() -> None:
    found = backend(tiny_models.tiny_t5, 10)
    assert found.kept(20, 9) == 10
    assert found.kept(20, 11) == 0, "the option alone does not fit"


def test_relative_positions_have_no_limit_and_learned_ones_do() -> None:
    assert backend(tiny_models.tiny_t5).context_limit is None
    assert backend(tiny_models.tiny_t5).kept(5000, 9) == 5000
    assert backend(tiny_models.tiny_bart).context_limit == 128


def test_only_networks_built_like_t5_are_packed() -> None:
    assert "without padding" in backend(tiny_models.tiny_t5).scoring_path
    assert backend(tiny_models.tiny_bart).scoring_path == "padded batches"
