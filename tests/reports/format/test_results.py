"""A result table in the formats that are not made for one command."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import COLUMNS, ResultRow, ResultTable
from phraseproof.reports.format.results import render_results, results_json
from phraseproof.reports.format.tables import TableFormat

ROW = ResultRow(
    run="runs/a_1",
    scoring="loglikelihood",
    level=Level.TASK,
    category="C",
    task="t|1",
    group="g",
    statistic="mean",
    estimate=48.123,
    low=40.06,
    high=51.0,
    n=3,
    method="how",
    unit="%",
)
TABLE = ResultTable((ROW, replace(ROW, task="t2", estimate=50.0, p_value=0.0004)), ("One & only.",))


def test_csv_has_every_column_in_full_precision() -> None:
    found = render_results(TABLE, TableFormat.CSV)
    first, second = csv.DictReader(io.StringIO(found.text))
    assert tuple(first) == COLUMNS
    assert (float(first["estimate"]), first["p_value"], first["task"]) == (48.123, "", "t|1")
    assert second["p_value"] == "0.0004"
    assert found.warnings == ("One & only.",)


def test_markdown_is_rounded_and_escaped() -> None:
    found = render_results(TABLE, TableFormat.MARKDOWN)
    assert found.text.splitlines() == [
        r"### runs/a\_1, 0-shot, loglikelihood",
        "",
        "| task | estimate | 95% interval | unit | p |",
        "| --- | ---: | ---: | --- | ---: |",
        r"| t\|1 | 48.1 | 40.1 to 51.0 | % |  |",
        r"| t2 | 50.0 | 40.1 to 51.0 | % | \< 0.001 |",
        "",
        r"- One \& only.",
    ]
    assert found.warnings == ()


def test_latex_is_a_long_table() -> None:
    text = render_results(TABLE, TableFormat.LATEX).text
    assert r"\begin{longtable}{lrrlr}" in text
    assert r"\caption{runs/a\_1, 0-shot, loglikelihood. One \& only.} \\" in text
    assert r"t\textbar{}1 & 48.1 & 40.1 to 51.0 & \% &  \\" in text
    assert text.endswith("\\bottomrule\n\\end{longtable}\n")


def test_json_holds_the_rows_and_the_notes() -> None:
    found = results_json(TABLE)
    assert found["notes"] == ["One & only."]
    assert found["rows"] == TABLE.to_dicts()


def test_text_has_all_rows_uncut_and_the_notes() -> None:
    long = replace(ROW, wording="w" * 120, task="t2")
    text = render_results(ResultTable((ROW, *[long] * 30), ("A\x1b note.",)), TableFormat.TEXT).text
    lines = text.splitlines()
    assert lines[0] == "runs/a_1, 0-shot, loglikelihood"
    assert lines[2].split() == ["task", "wording", "estimate", "95%", "interval", "unit"]
    assert lines[3].split() == ["t|1", "48.1", "40.1", "to", "51.0", "%"]
    assert sum("w" * 120 in line for line in lines) == 30
    assert lines[-1] == r"Note: A\x1b note."


@pytest.mark.parametrize("form", [TableFormat.TEXT, TableFormat.CSV, TableFormat.MARKDOWN, TableFormat.LATEX])
def test_a_table_without_rows_is_no_error(form: TableFormat) -> None:
    assert render_results(ResultTable(()), form).text.endswith("\n")


def test_json_is_rendered_by_each_command() -> None:
    with pytest.raises(ValueError, match="json"):
        render_results(TABLE, TableFormat.JSON)
