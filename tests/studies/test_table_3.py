"""`table-3`: the paper's layout, the published figures next to the measured ones, and what they disagree on."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.study import StudyRequest
from phraseproof.studies.table_3 import TableThree
from support.study_runs import RESULTS, four_tasks, released


def made(tmp_path: Path, *runs: Path) -> Exhibit:
    return carry_out(TableThree(), StudyRequest(runs=runs, out=tmp_path / "studies"))


def cells(table: ExhibitTable, *head: str) -> list[str]:
    (row,) = [row[len(head) :] for row in table.rows if row[: len(head)] == head]
    return [cell.split("\n")[0] for cell in row]


def test_rows_and_columns_are_the_papers(tmp_path: Path) -> None:
    exhibit = made(tmp_path, four_tasks(tmp_path).path)
    table, by_task, *rest = exhibit.tables
    assert table.headings == ("model", "wordings", "MMLU", "BBL-QA", "BBL-BC", "BBL-MC", "Overall")
    assert cells(table, "Some-Model", "observed") == ["40.0 ± 2.8", "", "70.0 ± 3.5", "70.0 ± 0.0", "60.0 ± 2.1"]
    assert cells(table, "Flan-T5-XL (printed)", "observed")[0] == "48.1 ± 0.3"
    assert table.rows[2][-1].split("\n")[0] == "-8.3"
    assert cells(by_task, "bbl/winowhy") == ["80.0 ± 0.0", "60.0 ± 14.1", "-20.0"]
    assert rest == []  # a model that is not in the paper has nothing to agree with


def test_both_tests_are_shown(tmp_path: Path) -> None:
    lines = made(tmp_path, four_tasks(tmp_path).path).tables[0].lines
    # Differences of -10, -20, 0 and -10 points: mean -10, standard error 4.08, t(3) = 2.449, p = 0.092 (scipy).
    over_tasks = "Some-Model, unobserved minus observed, over 4 tasks: -10.0 (95% interval -23.0 to +3.0, p = 0.092, "
    assert any(line.startswith(over_tasks) for line in lines)
    assert any("mean of categories: -8.3 (95% interval" in line and "other wordings" in line for line in lines)


def test_other_tasks_than_the_papers_are_shown_apart_from_its_figures(tmp_path: Path) -> None:
    request = StudyRequest(models=("scripted",), tasks=("pocket/has-maker", "pocket/label-maker"), limit=2,
                           instructions={"observed": ("pocket-observed",), "unobserved": ("pocket-test",)},
                           out=tmp_path)  # fmt: skip
    own, paper, *_ = carry_out(TableThree(), request).tables
    assert own.headings[2:] == ("Pocket-BC", "Pocket-MC", "Overall")
    assert paper.headings[2:] == ("MMLU", "BBL-QA", "BBL-BC", "BBL-MC", "Overall")
    assert len(paper.rows) == 15


@pytest.mark.skipif(not RESULTS.is_dir(), reason="the paper's published result files are not here")
def test_the_released_accuracies_give_the_printed_figures_but_for_those_that_are_known(tmp_path: Path) -> None:
    exhibit = made(tmp_path, *(released(tmp_path, size).path for size in ("xl", "xxl")))
    table = exhibit.tables[-1]
    assert table.lines == ("81 of 92 printed figures follow from the accuracies of single wordings.",)
    assert all(remark for *_, remark in table.rows), "each one that differs has a remark"
    assert {(row, column, printed, ours) for _, row, column, printed, ours, _ in table.rows} >= {
        ("Flan-T5-3B, OBSERVED", "BBL-QA", "59.0 ± 2.1", "59.0 ± 1.9"),
        ("Flan-T5-3B, UNOBSERVED", "BBL-QA", "56.0 ± 7.3", "56.2 ± 5.6"),
        ("Flan-T5-11B, OBSERVED", "BBL-QA", "67.9 ± 1.8", "65.7 ± 1.9"),
        ("Flan-T5-11B, dagger", "Overall", "1", "0"),
    }
    assert {(row, column) for _, row, column, *_ in table.rows if column not in {"BBL-QA", "Overall"}} == set()


def test_means_over_tasks_are_the_last_row_by_task(tmp_path: Path) -> None:
    exhibit = made(tmp_path, four_tasks(tmp_path).path)
    name, observed, unobserved, difference = exhibit.tables[1].rows[-1]
    # Means (.60 + .80 + .40 + .70) / 4 and (.50 + .60 + .40 + .60) / 4; Stds (.0707 + 0 + .0283 + 0) / 4 and
    # (.0707 + .1414 + .0707 + 0) / 4. The difference of categories is -8.3.
    assert (name, observed, unobserved) == ("mean over tasks", "62.5 ± 2.5", "52.5 ± 7.1")
    # Differences -10, -20, 0 and -10: standard error 4.08, t(3) = 3.182 at 95%, half width 12.99 (scipy).
    assert difference == "-10.0\n[-23.0, +3.0]"
    rows = exhibit.results.select(level="overall", statistic="mean over tasks")
    assert [(row.group, round(row.estimate, 6), row.n) for row in rows] == [
        ("observed", 62.5, 4),
        ("unobserved", 52.5, 4),
    ]


def test_charts_have_the_overall_means_of_every_model_and_the_categories_of_each(tmp_path: Path) -> None:
    run = four_tasks(tmp_path)
    exhibit = carry_out(TableThree(), StudyRequest(runs=(run.path,), out=tmp_path / "studies"))
    assert list(exhibit.charts) == ["accuracy-by-model", "accuracy-by-category-some-model"]
    overall, categories = (chart.data["bars"] for chart in exhibit.charts.values())
    assert [(bar["row"], bar["group"], round(bar["value"], 2)) for bar in overall] == [
        ("Some-Model", "observed", 60.0),
        ("Some-Model", "unobserved", 51.67),
    ]
    values = {(bar["row"], bar["group"]): round(bar["value"], 2) for bar in categories}
    assert values["BBL-BC", "unobserved"] == 55.0
    assert {row for row, _ in values} == {"MMLU", "BBL-BC", "BBL-MC", "Overall"}
