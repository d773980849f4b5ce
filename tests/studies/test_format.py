"""An exhibit in every format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from phraseproof.analysis.results import ResultTable
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.tables import TableFormat
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.format import render
from phraseproof.studies.published import figures

FIGURE = figures(["Table 3"], model="T0++", statistic="mean")[0]
EXHIBIT = Exhibit(
    "table-3",
    "A title",
    (ExhibitTable("By category", ("model", "A_B"), (("m", "48.1 ± 0.3\n[47.0, 49.0]"),), ("A sentence.",)),),
    ResultTable(tuple(FIGURE.rows())),
    notes=("A note.",),
    incomplete=2,
)


def test_text_shows_intervals_below_values() -> None:
    lines = render(EXHIBIT, TableFormat.TEXT, screen=Screen(60)).text.splitlines()
    row = next(number for number, line in enumerate(lines) if "48.1" in line)
    assert lines[row + 1].strip() == "[47.0, 49.0]"
    assert lines[-1] == "Note: A note."


def test_json_has_tables_rows_and_notes() -> None:
    document = json.loads(render(EXHIBIT, TableFormat.JSON).text)
    assert document["tables"][0]["rows"] == [["m", "48.1 ± 0.3\n[47.0, 49.0]"]]
    assert document["results"]["rows"][0]["estimate"] == float(FIGURE.value)
    assert (document["study"], document["notes"], document["cells_missing"]) == ("table-3", ["A note."], 2)


def test_csv_has_one_line_per_figure_and_leaves_notes_to_the_caller() -> None:
    rendered = render(EXHIBIT, TableFormat.CSV)
    rows = list(csv.DictReader(io.StringIO(rendered.text)))
    assert [row["statistic"] for row in rows] == ["mean", "std"]
    assert rendered.warnings == ("A note.",)


def test_markdown_and_latex_have_one_line_per_row_and_escape_names() -> None:
    markdown = render(EXHIBIT, TableFormat.MARKDOWN).text
    assert r"| model | A\_B |" in markdown
    assert r"| m | 48.1 ± 0.3 \[47.0, 49.0\] |" in markdown
    latex = render(EXHIBIT, TableFormat.LATEX).text
    assert r"A\_B" in latex
    assert r"$\pm$" in latex
    assert "% A note." in latex


def test_a_table_without_rows_is_its_sentences() -> None:
    exhibit = replace(EXHIBIT, tables=(ExhibitTable("Nothing differs", ("", ""), (), ("12 of 12 agree.",)),))
    for form in (TableFormat.TEXT, TableFormat.MARKDOWN, TableFormat.LATEX):
        text = render(exhibit, form).text
        assert "12 of 12 agree." in text
        assert "longtable}{" not in text
