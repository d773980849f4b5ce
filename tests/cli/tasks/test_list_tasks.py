"""`phraseproof tasks list`: names, kinds and sources."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phraseproof.cli.tasks import app

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


def test_list_names_tasks_with_kind_category_and_source() -> None:
    line = next(line for line in run("list").splitlines() if line.startswith("bbl/winowhy"))
    assert "binary" in line
    assert "BBL-BC" in line
    assert "hub hails/bigbench" in line


def test_list_never_cuts_a_name() -> None:
    result = CliRunner().invoke(app, ["list"], env={"COLUMNS": "40"})
    assert all(
        name in result.stdout for name in ("bbl/play_dialog_same_or_different", "bbl/vitaminc_fact_verification")
    )


def test_mmlus_subjects_take_one_line_unless_all_are_asked_for() -> None:
    short, long = run("list").splitlines(), run("list", "--all").splitlines()
    assert [line.split()[0] for line in short[1:4]] == ["mmlu", "mmlu/*", "mmlu/SUBJECT"]
    assert "one of 57 subjects, as in mmlu/abstract_algebra; --all names them" in short[3]
    assert len(long) == len(short) + 56
    assert any(line.startswith("mmlu/virology ") for line in long)


def test_list_json_is_the_catalogue() -> None:
    listings = json.loads(run("list", "--json"))
    assert {"name", "kind", "category", "source", "about"} == set(listings[0])
    assert listings[0]["name"] == "mmlu"
    assert sum(item["name"].startswith("mmlu/") for item in listings) == 58
    assert next(item for item in listings if item["name"] == "bbl")["kind"] is None
