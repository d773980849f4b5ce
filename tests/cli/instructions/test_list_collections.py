"""`phraseproof instructions list`: what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from phraseproof.cli.instructions import app
from phraseproof.errors import PhraseproofError

TASK = """\
name: tickets
kind: multi_class
data: tickets.csv
fields: {message: body}
choices: [billing, bug, praise]
answer: team
"""
ROWS = "body,team\nI was charged twice [sic],billing\nIt crashes,bug\nLovely,praise\n"
WORDINGS = """\
name: rephrasings
for: tickets
author: "[bold]me[/bold]"
instructions:
  - id: which-team
    ask: "Which team? {{ choices | join(', ') }}."
    layout: "{{ message }}"
  - id: lettered
    template: |-
      {{ message }}
      {{ choices | enumerate }}
      Team:
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tickets.yaml").write_text(TASK, encoding="utf-8")
    (tmp_path / "tickets.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "wordings.yaml").write_text(WORDINGS, encoding="utf-8")
    return tmp_path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def printed(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.exception
    return result.stdout


def refused(*arguments: str | Path) -> PhraseproofError:
    error = run(*arguments).exception
    assert isinstance(error, PhraseproofError)
    return error


def test_list_names_the_shipped_collections() -> None:
    assert "composed" in printed("list")
    listed = json.loads(printed("list", "--json"))
    composed = next(each for each in listed if each["name"] == "composed")
    assert {"binary", "multi_class", "multiple_choice", "bbl/winowhy", "summarization"} <= set(composed["serves"])
    assert composed["wordings"] >= 240


def test_list_shows_your_own_collections_and_says_which_cannot_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = folder / "own"
    own.mkdir()
    (own / "mine.yaml").write_text(WORDINGS, encoding="utf-8")
    (own / "composed.yaml").write_text(WORDINGS, encoding="utf-8")
    (own / "broken.yaml").write_text("name: broken\n", encoding="utf-8")
    monkeypatch.setenv("PHRASEPROOF_INSTRUCTIONS", str(own))
    result = run("list")
    assert result.exit_code == 0
    assert "Your own, in " in result.stdout
    assert ": mine\n" in result.stdout
    assert "the field 'instructions' is missing" in result.stderr
    assert "a shipped collection is also called 'composed'" in result.stderr
    (listed,) = [each for each in json.loads(printed("list", "--json").split("warning:")[0]) if "path" in each]
    assert (listed["name"], listed["wordings"], listed["serves"]) == ("mine", 2, ["tickets"])
    assert printed("show", "mine")
