"""Studies read means, Stds and differences as the paper averages them."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest

from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError
from phraseproof.scoring.accuracy import METRIC
from phraseproof.studies.measured import (
    MeasuredGroups,
    difference_cell,
    measure,
    measured_notes,
    two_groups,
    value_cell,
    with_interval,
)
from support.study_runs import four_tasks, imported


def test_numbers_by_hand(tmp_path: Path) -> None:
    found = measure(four_tasks(tmp_path), ("observed", "unobserved"))
    rows = {row.name: row for row, _ in found.rows()}
    assert rows["BBL-BC"].groups["observed"].mean == pytest.approx(0.7)
    assert rows["BBL-BC"].groups["unobserved"].mean == pytest.approx(0.55)
    # The mean of the tasks' Stds: of .55 and .65 it is .1 / sqrt 2, of two equal ones 0.
    assert rows["BBL-BC"].groups["observed"].std == pytest.approx(0.1 / sqrt(2) / 2)
    assert rows["Overall"].groups["unobserved"].mean == pytest.approx((0.55 + 0.4 + 0.6) / 3)
    values = {(row.statistic, row.category, row.group): row.estimate for row in found.result_rows() if not row.task}
    assert values["mean", "BBL-BC", "unobserved"] == pytest.approx(55)
    assert values["difference from observed", "BBL-BC", "unobserved"] == pytest.approx(-15)
    # Over the four tasks: (-10 - 20 + 0 - 10) / 4
    assert values["difference from observed over tasks", "", "unobserved"] == pytest.approx(-10)


def test_only_the_named_groups_and_shots_are_read(tmp_path: Path) -> None:
    run = four_tasks(tmp_path)
    found = measure(run, ("observed",))
    assert {group for row, _ in found.rows() for group in row.groups} == {"observed"}
    with pytest.raises(NotEnoughDataError, match="no wording of the group 'observed' with 3 demonstrations"):
        measure(run, ("observed", "unobserved"), num_fewshot=3)


def test_tasks_can_be_put_into_other_categories(tmp_path: Path) -> None:
    run = four_tasks(tmp_path)
    tasks = ("bbl/strategyqa", "bbl/winowhy", "mmlu", "bbl/vitaminc_fact_verification")
    found = measure(run, ("observed", "unobserved"), categories=dict.fromkeys(tasks, "all"))
    assert found.summary.overall.groups["observed"].mean == pytest.approx((0.6 + 0.8 + 0.4 + 0.7) / 4)


def test_groups_are_the_papers_or_the_first_two(tmp_path: Path) -> None:
    assert two_groups(four_tasks(tmp_path)) == ("observed", "unobserved")
    other = imported(tmp_path / "b", {("MMLU_General", "Correct"): [0.1], ("MMLU_General", "Incorrect"): [0.2]})
    assert two_groups(other) == ("closest", "incorrect")
    with pytest.raises(NotEnoughDataError, match="two groups"):
        two_groups(imported(tmp_path / "c", {("MMLU_General", "Correct"): [0.1]}))


def test_cells_hold_a_value_and_its_interval() -> None:
    found = Finding("mean", 0.5, 3, "by hand", low=0.4, high=0.61)
    assert with_interval("50.0", found, METRIC) == "50.0\n[40.0, 61.0]"
    assert difference_cell(Finding("d", -0.031, 3, "by hand", low=-0.05, high=0.001), METRIC) == "-3.1\n[-5.0, +0.1]"
    assert difference_cell(None, METRIC) == value_cell(None, None, METRIC) == ""


def test_a_note_that_is_not_of_all_runs_names_those_that_it_is_of(tmp_path: Path) -> None:
    first = measure(four_tasks(tmp_path / "a", model="First"), ("observed", "unobserved"))
    second = measure(four_tasks(tmp_path / "b", model="Second"), ("observed", "unobserved"))
    second = noted(second, "chance 25.0")
    first = noted(first, "all are guesses", "chance 25.0")
    assert measured_notes([first, second])[-2:] == ["First: all are guesses", "chance 25.0"]
    assert measured_notes([first])[-2:] == ["all are guesses", "chance 25.0"]
    assert measured_notes([first, noted(first, "chance 25.0", num_fewshot=3)])[-2:] == [
        "0-shot: all are guesses",
        "chance 25.0",
    ]


def noted(found: MeasuredGroups, *notes: str, num_fewshot: int = 0) -> MeasuredGroups:
    summary = replace(found.summary, notes=notes, num_fewshot=num_fewshot)
    return replace(found, table=replace(found.table, summary=summary))
