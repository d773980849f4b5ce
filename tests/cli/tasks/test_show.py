"""`phraseproof tasks`, as a person and as a program would use it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phraseproof.cli.tasks import app
from support.harness_folder import TEXTS, write

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


def test_show_prints_how_a_task_scores_and_ends_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    folder = write(tmp_path / "tasks", base=TEXTS)
    lines = [" ".join(line.split()) for line in run("show", "lm_eval/birds", "--data-dir", str(folder)).splitlines()]
    assert "metric lm_eval:exact_match" in lines
    assert "answers end before '\\n', after 7 tokens" in lines
    (found,) = json.loads(run("show", "lm_eval/birds", "--data-dir", str(folder), "--json"))
    assert (found["metric"], found["stop"], found["max_new_tokens"]) == ("lm_eval:exact_match", ["\n"], 7)


def test_show_prints_counts_balance_fields_and_the_first_example_as_they_are(file: Path) -> None:
    output = run("show", str(file))
    for part in (
        "tickets",
        "binary",
        "3, and 0 for",
        "bug 2, [red]praise 1",
        "66.7%",
        "message",
        "It [bold]broke[/bold]",
    ):
        assert part in output


def test_show_json(file: Path) -> None:
    (summary,) = json.loads(run("show", str(file), "--json"))
    assert summary["examples"] == 3
    assert summary["labels"] == ["bug", "[red]praise"]
    assert summary["balance"] == {"bug": 2, "[red]praise": 1}
    assert summary["first"]["fields"] == {"message": "It [bold]broke[/bold]"}


def test_show_a_benchmark_from_local_files(tmp_path: Path) -> None:
    (tmp_path / "anatomy_test.csv").write_text("Where?,here,there,up,down,C\n")
    assert "there" in run("show", "mmlu/anatomy", "--data-dir", str(tmp_path))


def test_warnings_go_to_stderr(tmp_path: Path) -> None:
    rows = [{"input": f"{number}?", "target_scores": {"a": 1, "b": 0}} for number in range(20)]
    (tmp_path / "leaky").mkdir()
    (tmp_path / "leaky" / "task.json").write_text(json.dumps({"examples": rows}))
    result = CliRunner().invoke(app, ["show", "bbl/leaky", "--data-dir", str(tmp_path), "--json"])
    assert json.loads(result.stdout)[0]["examples"] == 20
    assert result.stderr.startswith("warning: bbl/leaky")
