"""What commands print: results on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
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
        SimpleNamespace(name="runs/a", missing=[1], cells=[1, 2]),
        SimpleNamespace(name="runs/b", missing=[], cells=[1]),
    ]
    terminal.warn_of_missing_cells(runs)
    assert capsys.readouterr().err == "warning: runs/a: 1 of 2 cells are missing; the results use only the others\n"


def test_the_screen_is_as_wide_as_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "63")
    assert terminal.screen().width == 63
    assert not terminal.screen().color, "stdout is not a terminal here"


def test_only_text_and_colors_reach_a_terminal() -> None:
    foreign = "\x1b[31mred\x1b[0m \x1b]0;pwn\x07\x1b[2J\r\u202e end\n"
    assert terminal.only_colors(foreign) == "\x1b[31mred\x1b[0m \\x1b]0;pwn\\x07\\x1b[2J\\r\\u202e end\n"


def test_a_command_on_a_terminal_shows_the_escapes_of_data(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("q,a\nx\x1b]0;pwn\x07,yes\x1b[2J\ny,no\n")
    (tmp_path / "t.yaml").write_text('name: t\nkind: binary\ndata: t.csv\nchoices: ["yes\\e[2J", no]\nanswer: a\n')
    command = [sys.executable, "-m", "phraseproof", "tasks", "show", str(tmp_path / "t.yaml")]
    ours, theirs = os.openpty()
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # how a terminal of Linux ends
            while block := os.read(ours, 65536):
                seen += block
    os.close(ours)
    assert process.returncode == 0
    assert rb"yes\x1b[2J" in seen
    assert b"\x1b[2J" not in seen
    assert b"\x1b]0" not in seen


@pytest.mark.parametrize(("number", "text"), [(0, "0 wordings"), (1, "1 wording"), (2400, "2,400 wordings")])
def test_a_number_of_things(number: int, text: str) -> None:
    assert terminal.counted(number, "wording") == text
