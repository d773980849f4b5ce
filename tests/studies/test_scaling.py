"""`scaling`: gaps by size, the regression, and what is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.exhibit import Exhibit
from phraseproof.studies.fitting import fitting
from phraseproof.studies.scaling import ScalingStudy
from phraseproof.studies.study import StudyRequest
from phraseproof.studies.table_3 import TableThree
from support.study_runs import RESULTS, SIZES, four_tasks, imported, released


def made(tmp_path: Path, *runs: Path, **sizes: int) -> Exhibit:
    return carry_out(ScalingStudy(), StudyRequest(runs=runs, out=tmp_path / "studies", parameters=sizes))


def two_sizes(tmp_path: Path) -> list[Path]:
    """Gaps of 10, 20, 0 and 10 points at 1e8 parameters, and of 20 and 40 points on two tasks at 1e9."""
    small = four_tasks(tmp_path / "small", model="Small", parameters=10**8)
    large = imported(
        tmp_path / "large",
        {
            ("StrategyQA", "BC"): (0.6, 0.6),
            ("StrategyQA", "Unobserved"): (0.4, 0.4),
            ("Winowhy", "BC"): (0.6, 0.6),
            ("Winowhy", "Unobserved"): (0.2, 0.2),
        },
        model="Large",
        parameters=10**9,
    )
    return [large.path, small.path]


def test_the_line_goes_through_the_means_of_two_sizes(tmp_path: Path) -> None:
    exhibit = made(tmp_path, *two_sizes(tmp_path))
    (slope,) = exhibit.results.select(statistic="gap per tenfold parameters")
    # With two sizes, least squares joins the mean gaps: 10 points at 1e8 and 30 at 1e9.
    assert (slope.estimate, slope.unit, slope.n) == (pytest.approx(20), "points", 6)
    (per_parameter,) = exhibit.results.select(statistic="gap per parameter")[:1]
    assert per_parameter.estimate == pytest.approx(20 / 9e8)
    assert exhibit.charts["gap-by-parameters"].kind == "scaling"


def test_models_are_in_the_order_of_their_size(tmp_path: Path) -> None:
    table = made(tmp_path, *two_sizes(tmp_path)).tables[0]
    assert [row[:2] for row in table.rows] == [("Small", "100M"), ("Large", "1B")]
    gaps = dict(zip(table.headings, (cell.split("\n")[0] for cell in table.rows[1]), strict=True))
    assert gaps["BBL-BC"] == gaps["Overall"] == "+30.0"
    assert gaps["MMLU"] == ""


def test_a_size_that_is_not_known_is_asked_for(tmp_path: Path) -> None:
    runs = [four_tasks(tmp_path / name, model=name).path for name in ("One", "Two")]
    with pytest.raises(NotEnoughDataError, match="--parameters One=NUMBER"):
        made(tmp_path, *runs)
    assert made(tmp_path, *runs, One=10**6, Two=10**7).tables[0].rows[0][1] == "1M"
    with pytest.raises(UsageError, match=r"no model or run of the study has this name .*one of: One, .*, got Too"):
        made(tmp_path, *runs, One=10**6, Two=10**7, Too=10**8)


def test_the_pocket_comes_in_three_sizes() -> None:
    fitted = fitting(ScalingStudy(), StudyRequest(models=("pocket",)))
    assert fitted.models == ("pocket/tiny", "pocket", "pocket/medium")
    with pytest.raises(UsageError, match="at least 2 of --model or --run"):
        fitting(ScalingStudy(), StudyRequest(models=("google/flan-t5-base",)))
    assert fitting(TableThree(), StudyRequest(models=("pocket",))).models == ("pocket",)


@pytest.mark.skipif(not RESULTS.is_dir(), reason="the paper's published result files are not here")
def test_the_released_accuracies_give_table_18_but_for_what_is_known(tmp_path: Path) -> None:
    exhibit = made(tmp_path, *(released(tmp_path, size).path for size in SIZES))
    table = exhibit.tables[-1]
    assert table.lines == ("9 of 20 printed figures follow from the accuracies of single wordings.",)
    assert all(remark for *_, remark in table.rows), "each one that differs has a remark"
    (slope,) = exhibit.results.select(statistic="gap per parameter")[:1]
    assert slope.estimate == pytest.approx(1.95e-10, rel=0.01)  # points; the paper prints 4.45e-13 as a fraction
    assert slope.p_value == pytest.approx(0.313, abs=0.001)
