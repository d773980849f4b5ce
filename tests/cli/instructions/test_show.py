"""`phraseproof instructions`: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from phraseproof.cli.instructions import app
from phraseproof.errors import FileError, PhraseproofError, UsageError

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


def test_show_renders_a_made_up_example(folder: Path) -> None:
    text = printed("show", folder / "wordings.yaml")
    assert "rephrasings/which-team" in text
    assert "Which team? {{ choices | join(', ') }}." in text
    assert "<message>" in text
    assert "[bold]me[/bold]" in text


def test_show_renders_the_tasks_own_example(folder: Path) -> None:
    text = printed("show", folder / "wordings.yaml", "--task", folder / "tickets.yaml")
    assert "  Which team? billing, bug, praise.\n  \n  I was charged twice [sic]\n" in text
    assert "scored: billing | bug | praise" in text
    assert "scored: A | B | C" in text


def test_show_as_json(folder: Path) -> None:
    shown = json.loads(printed("show", folder / "wordings.yaml", "--task", folder / "tickets.yaml", "--json"))
    assert [each["name"] for each in shown] == ["rephrasings/which-team", "rephrasings/lettered"]
    assert shown[0]["prompt"]["text"] == "Which team? billing, bug, praise.\n\nI was charged twice [sic]"
    assert shown[0]["prompt"]["options"] == ["billing", "bug", "praise"]
    assert shown[0]["ask"] == "Which team? {{ choices | join(', ') }}."
    assert shown[1]["origin"].endswith("wordings.yaml:8")


def test_show_makes_up_choices_that_fit_the_verbalisers(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(
        "name: w\ninstructions:\n"
        "  - {id: map, template: '{{ question }}', answer: {ham: fine, spam: bad}}\n"
        "  - {id: list, template: '{{ question }}', answer: [a, b, c, d, e, f]}\n"
        "  - {id: needs-more, template: '{{ choices[8] }}'}\n",
        encoding="utf-8",
    )
    mapped, listed, short = json.loads(printed("show", path, "--json"))
    assert mapped["prompt"]["options"] == ["fine", "bad"]
    assert listed["prompt"]["options"] == list("abcdef")
    assert short["prompt"] is None
    assert "no element 8" in short["problem"]
    assert "name a task with --task" in printed("show", path)


def test_what_cannot_be_shown_is_refused(folder: Path) -> None:
    assert isinstance(refused("show", "compsed"), UsageError)
    assert isinstance(refused("show", folder / "gone.yaml"), FileError)
    assert "--task" in str(refused("show", "task_designer"))
    other = folder / "other.yaml"
    other.write_text(WORDINGS.replace("for: tickets", "for: binary"), encoding="utf-8")
    for verb in ("show", "validate"):
        assert "Its wordings are for: binary" in str(refused(verb, other, "--task", folder / "tickets.yaml"))


def test_the_composed_wordings_serve_a_users_task_with_a_question(folder: Path) -> None:
    (folder / "tickets.yaml").write_text(TASK.replace("{message: body}", "{question: body}"), encoding="utf-8")
    shown = json.loads(printed("show", "composed", "--task", folder / "tickets.yaml", "--json"))
    assert len(shown) >= 12
    assert all("I was charged twice [sic]" in each["prompt"]["text"] for each in shown)


def test_free_text_wordings_are_shown_with_a_reference_and_without_options() -> None:
    made_up = CliRunner().invoke(app, ["show", "everyday-observed"]).output
    block = made_up[made_up.index("everyday-observed/phrases-rewrite") :]
    assert "reference: <reference>" in block
    assert "answer:" not in block[: block.index("reference:")]
    rendered = CliRunner().invoke(app, ["show", "everyday-observed", "--task", "everyday/phrases"]).output
    assert "rendered with the first example of everyday/phrases" in rendered
    assert "scored" not in rendered
    valid = CliRunner().invoke(app, ["validate", "everyday-observed", "--task", "everyday/notes"])
    assert valid.exit_code == 0
    assert "everyday/notes: 11 wordings for it, 660 prompts rendered\n" in valid.output
