"""`phraseproof instructions validate`: what it prints, and its exit code."""

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


def test_validate_says_what_was_checked(folder: Path) -> None:
    assert "2 wordings, fields and templates are valid" in printed("validate", folder / "wordings.yaml")
    text = printed("validate", folder / "wordings.yaml", "--task", folder / "tickets.yaml")
    assert "tickets: 2 wordings for it, 6 prompts rendered with distinct answers" in text
    checked = json.loads(printed("validate", folder / "wordings.yaml", "--task", folder / "tickets.yaml", "--json"))
    assert checked["tasks"] == [{"task": "tickets", "wordings": 2, "prompts": 6, "kind": "multi_class"}]


def test_validate_finds_a_name_that_the_task_lacks(folder: Path) -> None:
    (folder / "wordings.yaml").write_text(WORDINGS.replace("{{ message }}", "{{ massage }}"), encoding="utf-8")
    assert run("validate", folder / "wordings.yaml").exit_code == 0
    result = run("validate", folder / "wordings.yaml", "--task", folder / "tickets.yaml")
    assert result.exit_code == 2
    assert "wordings.yaml:5, layout: wording 'which-team' needs 'massage'" in result.stdout
    assert "Known names: message, choices, letters, choice_count" in result.stdout
    assert "rephrasings: 2 wordings, 2 errors, 0 warnings" in result.stdout
    listed = json.loads(run("validate", folder / "wordings.yaml", "--task", folder / "tickets.yaml", "--json").stdout)
    assert [problem["kind"] for problem in listed["problems"]] == ["template", "template"]


def test_validate_warns_and_is_content(folder: Path) -> None:
    (folder / "wordings.yaml").write_text(WORDINGS.replace(" {{ choices | join(', ') }}.", ""), encoding="utf-8")
    result = run("validate", folder / "wordings.yaml", "--task", folder / "tickets.yaml")
    assert result.exit_code == 0
    assert "warning: " in result.stdout
    assert "tickets: the options are not shown [options]" in result.stdout
    assert "fields and templates are valid, 1 warning" in result.stdout
