"""What each way answers, against plain loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.calibrated import cross_fitted, fitted_on, fold_of_examples
from phraseproof.analysis.ensemble_curve import ALL, EnsembleSettings, ensemble_curve
from phraseproof.analysis.ensemble_points import Way
from phraseproof.analysis.reductions.judging import judge
from phraseproof.analysis.reductions.ways import FEW, FOLDS, WAYS, Part
from support.option_grids import simulated

NAMES = {way.name: way for way in WAYS}


@pytest.fixture(scope="module")
def part() -> Part:
    of = simulated(np.random.default_rng(2), wordings=5, examples=40, options=3, skill=1.0, prior=1.0)
    folds = fold_of_examples(of.task, of.examples, FOLDS)
    return Part.fitted(of, "batch", folds)


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
        known = fitted_on(part.of.take_examples(others), part.of, "batch") if calibrated else part.raw
        fit = [sum(right(part, known[w, other], other) for other in others) for w in range(5)]
        members = sorted(range(5), key=lambda w: -fit[w])[:size]
        expected.append(right(part, np.exp(given[members, e]).sum(axis=0), e))
    assert NAMES[name].answer(part)[0].tolist() == expected


def test_calibration_is_cross_fitted(part: Part) -> None:
    assert part.calibrated == pytest.approx(cross_fitted(part.of, "batch", folds=FOLDS))


@pytest.mark.parametrize("calibration", ["batch", "prior-matching"])
def test_the_same_ways_have_the_same_numbers_as_in_the_curve_of_ensembles(calibration: str) -> None:
    of = simulated(np.random.default_rng(3), wordings=6, examples=60, options=3, skill=0.7, prior=1.0)
    judged = {way.way.name: way for way in judge(of, calibration=calibration, seed=4).ways}
    for how in ("majority", "mean_probability"):
        settings = EnsembleSettings(how=how, sizes=(1, FEW, ALL), calibration=calibration, seed=4)
        points = {point.key: point for point in ensemble_curve(of, settings).points}
        pairs: dict[str, tuple[int, Way, str]] = {
            "as it is": (1, "random", "none"),
            "best wording": (1, "best", "none"),
            "calibrated": (1, "random", calibration),
            "best wording, calibrated": (1, "best", calibration),
        }
        if how == "majority":
            pairs |= {f"majority of best {FEW}": (FEW, "best", "none"), "majority of all": (ALL, "all", "none")}
        else:
            pairs |= {
                "ensemble of all": (ALL, "all", "none"),
                f"calibrated ensemble of best {FEW}": (FEW, "best", calibration),
                "calibrated ensemble of all": (ALL, "all", calibration),
            }
        for name, key in pairs.items():
            assert judged[name].accuracy == pytest.approx(points[key].accuracy.estimate), name
            assert judged[name].gain.estimate == pytest.approx(points[key].gain.estimate), name


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
