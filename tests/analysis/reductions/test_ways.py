"""What each way answers, against plain loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.calibrated import cross_fitted, fold_of_examples
from phraseproof.analysis.reductions.ways import FEW, FOLDS, WAYS, Part
from support.option_grids import simulated

NAMES = {way.name: way for way in WAYS}


@pytest.fixture(scope="module")
def part() -> Part:
    of = simulated(np.random.default_rng(2), wordings=5, examples=40, options=3, skill=1.0, prior=1.0)
    folds = fold_of_examples(of.task, of.examples, FOLDS)
    return Part(of, of.logprobs, cross_fitted(of, "batch", folds=FOLDS), folds)


def right(part: Part, logprobs: np.ndarray, example: int) -> float:
    return float(np.argmax(logprobs) == np.argmax(part.of.credits[example]))


@pytest.mark.parametrize(("name", "calibrated"), [("as it is", False), ("calibrated", True)])
def test_every_wording_answers_by_itself(part: Part, name: str, calibrated: bool) -> None:
    given = part.calibrated if calibrated else part.raw
    expected = [[right(part, given[w, e], e) for e in range(40)] for w in range(5)]
    assert NAMES[name].answer(part).tolist() == expected


@pytest.mark.parametrize(
    ("name", "calibrated", "size"),
    [
        ("best wording", False, 1),
        ("best wording, calibrated", True, 1),
        (f"calibrated ensemble of best {FEW}", True, FEW),
    ],
)
def test_wordings_are_chosen_on_the_other_folds_only(part: Part, name: str, calibrated: bool, size: int) -> None:
    given = part.calibrated if calibrated else part.raw
    expected: list[float] = []
    for e in range(40):
        others = [other for other in range(40) if part.folds[other] != part.folds[e]]
        fit = [sum(right(part, given[w, other], other) for other in others) for w in range(5)]
        members = sorted(range(5), key=lambda w: -fit[w])[:size]
        expected.append(right(part, np.exp(given[members, e]).sum(axis=0), e))
    assert NAMES[name].answer(part)[0].tolist() == expected


def test_a_majority_counts_the_chosen_options(part: Part) -> None:
    found = NAMES["majority of all"].answer(part)[0]
    for e in range(40):
        votes = np.bincount(part.raw[:, e].argmax(axis=1), minlength=3)
        if (votes == votes.max()).sum() == 1:
            assert found[e] == right(part, votes, e)


def test_no_example_changes_its_own_choice_of_wordings(part: Part) -> None:
    # Flip one example's label: what it is answered with stays, so its score can only move with the label.
    credit = part.of.credits.copy()
    credit[7] = np.roll(credit[7], 1)
    changed = part._replace(of=replace(part.of, credits=credit))
    for way in WAYS:
        before, after = way.answer(part)[:, 7], way.answer(changed)[:, 7]
        assert ((before == 0) | (after == 0)).all(), way.name


def test_ways_that_need_less_come_with_fewer_rights() -> None:
    assert {way.name for way in WAYS if way.access == "text"} == {
        "as it is", "best wording", f"majority of best {FEW}", "majority of all"
    }  # fmt: skip
    assert {way.name for way in WAYS if way.calls == 1 and not way.needs_labels} == {"as it is", "calibrated"}
