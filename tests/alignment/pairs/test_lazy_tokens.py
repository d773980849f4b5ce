"""Sets are tokenized when they are drawn, to the tokens that all sets together have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.alignment.pairs.lazy_tokens import LazySetTokens
from phraseproof.alignment.pairs.tokens import tokenize_pairs
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.trainer import forecast, train
from phraseproof.errors import UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.training.log import SilentTrainingObserver
from support import tiny_models

PAIRS = [
    ParaphraseSet(
        "Choose the correct option.",
        ("Which is right?", "Answer:", "What is it? "),
        f"the red king {number}",
        ("north", "the south")[number % 2],
        options=("north", "the south"),
    )
    for number in range(7)
]
TOO_LONG = replace(PAIRS[0], input="the red king " * 3000)
SETTINGS = AlignmentSettings(
    "pt", max_steps=2, gradient_accumulation=1, num_tokens=2, learning_rate=1e-3, held_out_fraction=0.0
)


@pytest.fixture(scope="module", params=["tiny_llama", "tiny_t5"])
def model(request: pytest.FixtureRequest) -> HuggingFaceModel:
    return cast("HuggingFaceModel", load_model(str(getattr(tiny_models, request.param)()), ModelOptions()))


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of prompts that were tokenized."""
    found: list[int] = []
    encode = HuggingFaceModel.encode

    def count(self: HuggingFaceModel, prompts: Any) -> Any:
        found.append(len(prompts))
        return encode(self, prompts)

    monkeypatch.setattr(HuggingFaceModel, "encode", count)
    return found


@pytest.mark.parametrize("with_options", [False, True])
def test_tokens_are_those_of_all_sets_together(model: HuggingFaceModel, with_options: bool, encoded: list[int]) -> None:
    options: dict[str, Any] = {"prompt_format": "plain", "reserved": 2, "with_options": with_options}
    whole = tokenize_pairs(PAIRS, model, **options)
    encoded.clear()
    lazy = LazySetTokens(PAIRS, model, **options)
    assert len(lazy) == 7
    assert encoded == []
    lazy.require([5, 2])
    assert (lazy[5], lazy[2], lazy[-1]) == (whole[5], whole[2], whole[6])
    assert encoded == [2 * 4, 4]
    assert list(lazy) == list(lazy[:]) == whole
    assert sum(encoded) == 7 * 4
    assert list(lazy.first(2)) == whole[:2]
    with pytest.raises(IndexError):
        lazy[7]


class _Listener(SilentTrainingObserver):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)


@pytest.mark.slow
def test_a_training_tokenizes_what_it_draws(tmp_path: Path, encoded: list[int]) -> None:
    listener, name = _Listener(), str(tiny_models.tiny_llama())
    trained = train(name, PAIRS, tmp_path, SETTINGS, observer=listener)
    assert sum(encoded) == 2 * 4
    assert "2 of 7 pairs are drawn; whether the others fit the model is not checked" in listener.notes
    encoded.clear()
    assert train(name, PAIRS, tmp_path, SETTINGS).folder == trained.folder  # a finished one tokenizes nothing
    assert encoded == []


def test_pairs_that_are_drawn_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    name = str(tiny_models.tiny_llama())
    bad = [*PAIRS[:6], replace(TOO_LONG, source="pairs.jsonl:7")]
    whole = replace(SETTINGS, max_steps=None, epochs=1)
    for ask in (lambda: train(name, bad, tmp_path / "out", whole), lambda: forecast(name, bad, whole, is_timed=False)):
        with pytest.raises(UsageError, match=r"^pairs.jsonl:7: .*does not fit into the model's context"):
            ask()
    assert not (tmp_path / "out").exists()
    # Held-out pairs are all evaluated, so all of them are checked.
    with pytest.raises(UsageError, match=r"does not fit into the model's context"):
        train(name, [TOO_LONG] * 7, tmp_path / "out", replace(SETTINGS, held_out_fraction=0.5))
    lazy = LazySetTokens([PAIRS[0], TOO_LONG], cast("HuggingFaceModel", load_model(name, ModelOptions())))
    with pytest.raises(UsageError, match=r"^pair 2: .*does not fit"):
        lazy.require([1])
