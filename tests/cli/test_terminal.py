"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from phraseproof.cli import terminal


def test_results_go_to_stdout_and_remarks_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_result("a result\n")
    terminal.warn("careful")
    terminal.note("by the way")
    printed = capsys.readouterr()
    assert printed.out == "a result\n"
    assert printed.err == "warning: careful\nnote: by the way\n"


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_json({"name": "Grüße", "values": [1.5, None]})
    assert json.loads(capsys.readouterr().out) == {"name": "Grüße", "values": [1.5, None]}
    with pytest.raises(ValueError, match="not JSON compliant"):
        terminal.print_json(float("nan"))


def test_a_terminal_gets_what_its_encoding_has_and_a_file_gets_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    for write, expected in ((terminal.print_result, b"12 ? 3"), (terminal.print_file, "12 ± 3".encode())):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
        write("12 ± 3")
        sys.stdout.flush()
        assert raw.getvalue() == expected


def test_incomplete_runs_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    runs: Any = [
        SimpleNamespace(path=Path("runs/a"), missing=[1], cells=[1, 2]),
        SimpleNamespace(path=Path("runs/b"), missing=[], cells=[1]),
    ]
    terminal.warn_of_missing_cells(runs)
    assert capsys.readouterr().err == "warning: runs/a: 1 of 2 cells are missing; the results use only the others\n"


def test_the_screen_is_as_wide_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "63")
    assert terminal.screen().width == 63
    assert not terminal.screen().color, "stdout is not a terminal here"
