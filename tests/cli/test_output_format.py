"""`--format` of analyze and compare: the rows of the Python calls, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

import phraseproof
from phraseproof.analysis.results import COLUMNS, ResultTable
from phraseproof.cli.output_format import FormatName, read_format
from phraseproof.errors import UsageError
from phraseproof.reports.format.tables import TableFormat
from support.command_line import run_command
from support.report_runs import write_run

COMMANDS: dict[str, Callable[..., ResultTable]] = {"analyze": phraseproof.analyze, "compare": phraseproof.compare}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    return [write_run(folder / "a"), write_run(folder / "b", bonus=0.2)]


@pytest.mark.parametrize("command", COMMANDS)
def test_csv_and_json_hold_the_rows_of_the_python_call(
    command: str, runs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    given = runs if command == "compare" else runs[:1]
    expected = COMMANDS[command](*given)
    done = run_command(capsys, command, *given, "--format", "csv")
    shown = list(csv.DictReader(io.StringIO(done.out)))
    rows = expected.to_dicts()
    assert shown == [{name: "" if row[name] is None else str(row[name]) for name in COLUMNS} for row in rows]
    document = json.loads(run_command(capsys, command, *given, "--format", "json").out)
    assert document["results"]["rows"] == rows
    assert document == json.loads(run_command(capsys, command, *given, "--json").out)


@pytest.mark.parametrize("command", COMMANDS)
def test_documents_have_a_line_per_row(command: str, runs: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    given = runs if command == "compare" else runs[:1]
    count = len(COMMANDS[command](*given))
    markdown = run_command(capsys, command, *given, "-f", "markdown").out
    assert sum(line.startswith("| ") for line in markdown.splitlines()) == count + 2
    latex = run_command(capsys, command, *given, "-f", "latex").out
    assert sum(line.endswith(r"\\") and "&" in line for line in latex.splitlines()) == count + 2


def test_json_and_another_format_contradict_each_other() -> None:
    assert read_format(None, as_json=True) == read_format("json", as_json=True) == "json"
    assert read_format(None, as_json=False) == "text"
    with pytest.raises(UsageError, match="two formats"):
        read_format("csv", as_json=True)


def test_the_names_are_those_of_the_formats() -> None:
    assert get_args(FormatName) == tuple(form.value for form in TableFormat)
