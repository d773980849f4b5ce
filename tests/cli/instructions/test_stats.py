"""`phraseproof instructions stats`: what is printed, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.cli import main

WORDINGS = """\
name: mine
for: tickets
instructions:
  - {id: a, ask: "Pick the team that should answer.", layout: "{{ message }}"}
  - {id: b, ask: "Pick the team that should answer!", layout: "Text: {{ message }}"}
  - {id: c, ask: "Whose job is this?", layout: "{{ message }}"}
"""


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["instructions", "stats", *map(str, arguments)])
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


def test_the_table_counts_as_table_2_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "mine.yaml").write_text(WORDINGS, encoding="utf-8")
    code, printed, _ = run(capsys, tmp_path / "mine.yaml", "composed")
    assert code == 0
    lines = [line.split() for line in printed.splitlines()]
    assert ["composed", "20", "16", "15", "20", "10", "-", "190", "for", "19", "10", "271"] in lines
    assert ["mine", "-", "-", "-", "-", "-", "-", "3", "for", "1", "3", "3"] in lines
    assert "1 near-duplicate (ROUGE-2 of 80 or more):" in printed
    assert "100.0  mine/a  mine/b" in printed


@pytest.mark.parametrize("columns", ["60", "80", "140"])
def test_names_are_never_cut_short(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    _, printed, _ = run(capsys, "closer-look-nonsensical", "closer-look-incorrect")
    assert "\u2026" not in printed
    assert max(map(len, printed.splitlines())) <= max(int(columns), 110)


def test_json_and_the_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.yaml").write_text(WORDINGS, encoding="utf-8")
    found = json.loads(run(capsys, tmp_path / "mine.yaml", "--json")[1])
    (mine,) = found["collections"]
    assert mine["by_task"] == {"tickets": 3}
    assert mine["length"]["mean"] == pytest.approx(16 / 3)
    assert found["near_duplicates"] == [{"first": "mine/a", "second": "mine/b", "rouge2": 1.0}]
    assert found["between"] == []
    code, printed, _ = run(capsys, "closer-look-closest", "--near", "95")
    assert (code, "No near-duplicates" in printed) == (0, True)
    code, printed, errors = run(capsys, "closer-look-closest", "--near", "0")
    assert (code, printed) == (2, "")
    assert errors == "error: the threshold is out of range (expected above 0, at most 1, got 0.0)\n"
