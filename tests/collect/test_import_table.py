"""A spreadsheet as people fill it: what is meant is read, the rest is a problem with its file and row."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from phraseproof.collect.import_table import TableDefaults, read_wordings
from phraseproof.errors import FileError
from support.collecting import CAPITALS, TEAMS

TASKS = {"teams": TEAMS, "capitals": CAPITALS}


def _spreadsheet(path: Path, **sheets: list[list[object]]) -> Path:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    workbook.save(path)
    return path


def test_a_messy_spreadsheet(tmp_path: Path) -> None:
    path = _spreadsheet(
        tmp_path / "may.xlsx",
        notes=[["Please fill in the next sheet!"]],
        May=[
            ["Wordings, May", None],
            [],
            ["No.", " Annotator", "Task", "Kind", "INSTRUCTION", "Remarks"],
            [1, "Ada", "teams", "Zero-shot", "Which team?", "ok"],
            [2, None, None, None, "{message}\nTeam:", None],
            [3, None, None, "few shot", None, "later"],
            [4, None, "Capitals", None, "Capital of {country}? A: {choiceA} B: {choiceB}", None],
            [5, None, "cities", "zero-shot", "Where?", None],
            [6, None, "teams", "one-shot", "Where?", None],
            [7, None, None, "zero-shot", "{massage}", None],
            [8, None, None, None, "{{ message }", None],
            [9, None, None, None, 'Answer {"team": }', None],
            [10, "Ben", None, 0, "Sort {{ message }} into {{ choices | join(', ') }}", None],
        ],
        capitals=[["wording", "kind", "author", "form", "answer"], ["Choose", "few", "Cid", "ask", "Letter"]],
    )
    content = read_wordings(path, TASKS)
    found = [(each.where, each.author, each.task, each.kind, each.form, each.answer) for each in content.wordings]
    assert found == [
        (f"{path}:May:4", "Ada", "teams", "zero-shot", "ask", None),
        (f"{path}:May:5", "Ada", "teams", "zero-shot", "template", None),
        (f"{path}:May:7", "Ada", "capitals", "few-shot", "template", None),
        (f"{path}:May:13", "Ben", "teams", "zero-shot", "template", None),
        (f"{path}:capitals:2", "Cid", "capitals", "few-shot", "ask", "letter"),
    ]
    assert content.wordings[2].text == "Capital of {{ country }}? A: {{ choices[0] }} B: {{ choices[1] }}"
    assert content.filled > 0
    problems = [str(each) for each in content.problems]
    assert [each.split(": ")[0].removeprefix(str(path)) for each in problems] == [
        ":May:8, task",
        ":May:9, kind",
        ":May:10, wording",
        ":May:11, wording",
        ":May:12, wording",
    ]
    assert "the project has no task 'cities' (expected one of: teams, capitals)" in problems[0]
    assert "not a table (expected zero-shot or few-shot, got 'one-shot')" in problems[1]
    assert "needs 'massage', which task 'teams' does not have" in problems[2]
    assert "not a valid template" in problems[3]
    assert "a placeholder that is not the name of a field" in problems[4]
    assert "Fields are written {name}; here: message" in problems[4]


def test_cells_without_a_text_of_a_person_are_refused(tmp_path: Path) -> None:
    path = _spreadsheet(
        tmp_path / "formulas.xlsx",
        teams=[
            ["author", "kind", "wording", "length"],
            ["Ada", "zero-shot", '="Which " & "team?"', "=LEN(C2)"],
            ["Ada", "zero-shot", "#NAME?", "#REF!"],
            ["#N/A", "zero-shot", "Which team?", 11],
            ["#N/A", "zero-shot", None, "=LEN(C5)"],
            ["Ada", "zero-shot", "Whose job is it?", "#REF!"],
        ],
    )
    content = read_wordings(path, TASKS)
    assert [each.text for each in content.wordings] == ["Whose job is it?"]
    assert [str(problem).partition(". ")[0] for problem in content.problems] == [
        f"{path}:2, wording: the cell holds a formula that was not computed (expected a text)",
        f"{path}:3, wording: the cell shows the error #NAME? (expected a text)",
        f"{path}:4, author: the cell shows the error #N/A (expected a text)",
    ]


def test_defaults_count_where_a_column_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text("wording\nWhich team?\n", encoding="utf-8")
    for defaults, problem in (
        (TableDefaults(), "no task"),
        (TableDefaults(task="teams"), "no table"),
        (TableDefaults(task="teams", kind="zero-shot"), "no author"),
        (TableDefaults("teams", "zero-shot", "x" * 99), "not a pseudonym"),
    ):
        (error,) = read_wordings(path, TASKS, defaults=defaults).problems
        assert problem in str(error)
        assert str(error).startswith(f"{path}:2")
    content = read_wordings(path, TASKS, defaults=TableDefaults("teams", "zero-shot", "Ada"))
    assert [each.author for each in content.wordings] == ["Ada"]
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FileError, match="no row names the columns"):
        read_wordings(path, TASKS)
    path.write_text("wording,form\nWhich,maybe\n", encoding="utf-8")
    (error,) = read_wordings(path, TASKS, defaults=TableDefaults("teams", "zero-shot", "Ada")).problems
    assert "not a form (expected ask or template, got 'maybe')" in str(error)
