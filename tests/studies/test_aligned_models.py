"""Gains over a base model, and means over the seeds of trainings, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.errors import NotEnoughDataError
from phraseproof.studies.aligned_models import GAIN, AlignedModel, AlignedRow, aligned_model, base_model
from phraseproof.studies.measured import MeasuredGroups, measure
from support.study_runs import four_tasks, imported

GROUPS = ("observed", "unobserved")


def measured(folder: Path, strategyqa: float, mmlu: float = 0.4) -> MeasuredGroups:
    """A run whose unobserved wordings of strategyqa have this accuracy and one that is .1 higher."""
    run = imported(
        folder,
        {
            ("StrategyQA", "BC"): (0.55, 0.65),
            ("StrategyQA", "Unobserved"): (strategyqa, strategyqa + 0.1),
            ("MMLU_General", "QA"): (mmlu, mmlu),
            ("MMLU_General", "Unobserved"): (0.35, 0.45),
        },
    )
    return measure(run, GROUPS)


def row(of: AlignedModel, name: str) -> AlignedRow:
    (found,) = (each for each in of.rows() if each.name == name)
    return found


def test_gains_are_paired_and_averaged_as_the_paper_averages(tmp_path: Path) -> None:
    base = measured(tmp_path / "base", 0.45)
    found = aligned_model("pt+kl", [measured(tmp_path / "after", 0.55)], base)
    gain = row(found, "bbl/strategyqa").gains
    assert (gain["observed"].estimate, gain["unobserved"].estimate) == (0, pytest.approx(0.1))
    # Two categories: BBL-BC gains .1, MMLU nothing.
    overall = row(found, OVERALL)
    assert overall.gains["unobserved"].estimate == pytest.approx(0.05)
    assert overall.groups["unobserved"].mean == pytest.approx((0.6 + 0.4) / 2)
    (shown,) = [
        each for each in found.result_rows() if each.statistic == GAIN and each.level is Level.OVERALL
        and each.group == "unobserved"
    ]  # fmt: skip
    assert (shown.estimate, shown.unit) == (pytest.approx(5.0), "points")


def test_several_seeds_are_averaged_before_gains_are_computed(tmp_path: Path) -> None:
    base = measured(tmp_path / "base", 0.45)
    seeds = [measured(tmp_path / "one", 0.55), measured(tmp_path / "two", 0.65, mmlu=0.5)]
    overall = row(aligned_model("pt", seeds, base), OVERALL)
    assert overall.groups["unobserved"].mean == pytest.approx((0.65 + 0.4) / 2)
    assert overall.gains["unobserved"].estimate == pytest.approx(0.15 / 2)
    assert overall.gains["observed"].estimate == pytest.approx(0.05 / 2)
    # Both wordings of strategyqa differ by .1, those of mmlu by .1: a Std of .0707 in every seed.
    assert overall.groups["unobserved"].std == pytest.approx(0.1 / 2**0.5)


def test_the_base_model_gains_nothing(tmp_path: Path) -> None:
    found = base_model(measured(tmp_path, 0.45))
    assert found.method == "base"
    assert {len(each.gains) for each in found.rows()} == {0}
    assert not [each for each in found.result_rows() if each.statistic == GAIN]


def test_seeds_with_other_tasks_are_refused(tmp_path: Path) -> None:
    base = measured(tmp_path / "base", 0.45)
    other = measure(four_tasks(tmp_path / "other"), GROUPS)
    with pytest.raises(NotEnoughDataError, match="not scored on the same wordings and examples"):
        aligned_model("pt", [base, other], base)
