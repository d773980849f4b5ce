"""What the reference says stands in for targets, as scoring and greedy generation give it."""

from __future__ import annotations

import dataclasses
from typing import cast

import pytest

from phraseproof.alignment.pairs.tokens import prompts_of
from phraseproof.alignment.reference_answers import LONGEST_ANSWER, with_reference_answers
from phraseproof.errors import UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models
from support.tiny_pairs import shared_wordings

LETTERS = ("A", "B", "C", "D")
LABELLED = [dataclasses.replace(pair, options=LETTERS) for pair in shared_wordings(6)]
BARE = [dataclasses.replace(pair, target="", labelled=False) for pair in LABELLED]


@pytest.fixture(scope="module")
def model() -> HuggingFaceModel:
    return cast(HuggingFaceModel, load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu")))


def test_an_option_is_the_most_probable_one_under_the_reference(model: HuggingFaceModel) -> None:
    found = with_reference_answers(BARE, model, prompt_format="plain")
    prompts = [prompts_of(pair, prompt_format="plain", options=LETTERS)[0] for pair in BARE]
    for pair, scores in zip(found, model.score_options(prompts), strict=True):
        assert pair.target == LETTERS[max(range(4), key=lambda option: scores.logprobs[option])]
        assert not pair.labelled
        assert pair.teacher is not None
        assert (pair.teacher.name, pair.teacher.wordings) == ("reference", (pair.instruction,))


def test_given_labels_stay_unless_no_label_counts(model: HuggingFaceModel) -> None:
    mixed = [*LABELLED[:3], *BARE[3:]]
    given = with_reference_answers(mixed, model, prompt_format="plain")
    assert given[:3] == LABELLED[:3]
    none = with_reference_answers(LABELLED, model, prompt_format="plain", labels="none")
    assert [pair.target for pair in none] == [
        pair.target for pair in with_reference_answers(BARE, model, prompt_format="plain")
    ]
    assert not any(pair.labelled for pair in none)
    taught = [dataclasses.replace(pair, teacher=none[0].teacher) for pair in LABELLED]
    kept = with_reference_answers(taught, model, prompt_format="plain", labels="none")
    assert [pair.target for pair in kept] == [pair.target for pair in LABELLED]


def test_without_options_it_is_the_greedy_text(model: HuggingFaceModel, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], int]] = []

    def generate(prompts: list[object], *, max_new_tokens: int) -> list[str]:
        asked.append(([prompt.text for prompt in prompts], max_new_tokens))  # type: ignore[attr-defined]
        return ["north"] * len(prompts)

    monkeypatch.setattr(model, "generate", generate)
    bare = [dataclasses.replace(pair, options=()) for pair in BARE[:2]]
    found = with_reference_answers(bare, model, prompt_format="plain")
    assert [pair.target for pair in found] == ["north", "north"]
    assert asked == [([prompts_of(pair, prompt_format="plain")[0].text for pair in bare], LONGEST_ANSWER)]
    monkeypatch.setattr(model, "generate", lambda prompts, **_: [" "] * len(prompts))
    with pytest.raises(UsageError, match="pair 1: the model writes nothing under the reference wording"):
        with_reference_answers(bare, model, prompt_format="plain")
