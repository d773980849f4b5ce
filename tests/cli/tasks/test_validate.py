"""`phraseproof tasks validate`: what it says of a sound file, and of a broken one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phraseproof.cli.tasks import app
from phraseproof.errors import FileError, UsageError

YAML = """\
name: tickets
kind: binary
data: rows.csv
fields: {message: body}
choices: [bug, '[red]praise']
answer: team
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text("body,team\nIt [bold]broke[/bold],bug\nThanks,[red]praise\nAgain,bug\n")
    path = tmp_path / "tickets.yaml"
    path.write_text(YAML)
    return path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_validate_says_what_was_checked(file: Path) -> None:
    assert "the task tickets is valid. Each of its 3 examples has its fields" in run("validate", str(file))
    assert json.loads(run("validate", str(file), "--json"))["valid"] is True


def test_errors_reach_the_caller(file: Path) -> None:
    file.write_text(YAML.replace("team", "tema"))
    result = CliRunner().invoke(app, ["validate", str(file)])
    assert isinstance(result.exception, FileError)
    assert isinstance(CliRunner().invoke(app, ["show", "mmlx"]).exception, UsageError)
