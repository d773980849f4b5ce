"""Whatever is wrong with the input: one line on stderr that says what and where, exit code 2, no traceback."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from phraseproof.cli import main

TASK = "name: t\nkind: binary\ndata: t.csv\nchoices: [yes!, no!]\nanswer: label\n"
CSV = "question,label\nIs it?,yes!\nWas it?,no!\n"
WORDINGS = "name: w\ninstructions:\n  - {id: one, template: '{{ question }}', answer: text}\n"


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> Outcome:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return Outcome(stopped.value.code, captured.out, captured.err)


def evaluate(capsys: pytest.CaptureFixture[str], folder: Path, **changes: str | None) -> Outcome:
    options: dict[str, str | None] = {
        "model": "scripted",
        "tasks": str(folder / "t.yaml"),
        "instructions": f"mine={folder / 'w.yaml'}",
        "out": str(folder / "run"),
    }
    options.update(changes)
    arguments = [part for name, value in options.items() if value is not None for part in (f"--{name}", value)]
    return run(capsys, "evaluate", *arguments)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.yaml").write_text(TASK)
    (tmp_path / "t.csv").write_text(CSV)
    (tmp_path / "w.yaml").write_text(WORDINGS)
    return tmp_path


def assert_one_line(outcome: Outcome, *fragments: str) -> None:
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1, outcome.err
    assert "Traceback" not in outcome.err
    for fragment in fragments:
        assert fragment in outcome.err


def test_the_good_case_is_good(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = evaluate(capsys, folder)
    assert outcome.code == 0, outcome.err
    assert "w" in outcome.out


@pytest.mark.parametrize(
    ("content", "fragments"),
    [
        ("name: w\ninstructions: [", ["w.yaml:2", "not valid YAML"]),
        ("", ["w.yaml", "empty"]),
        ("name: w\ninstructions: []\n", ["w.yaml:2"]),
        ("name: w\ninstructions:\n  - {id: one, tempalte: x}\n", ["w.yaml:3", "tempalte"]),
        ("name: w\ninstructions:\n  - {id: one, template: x, template: y}\n", ["w.yaml:3", "twice"]),
        ("name: w\ninstructions:\n  - {id: a, template: x}\n  - {id: a, template: y}\n", ["w.yaml:4", "a"]),
        (
            "name: w\ninstructions:\n  - {id: a, template: '{{ qestion }}', answer: text}\n",
            ["w.yaml:3", "qestion", "question"],
        ),
        ("name: w\ninstructions:\n  - {id: a, template: '{{ question', answer: text}\n", ["w.yaml:3"]),
        (
            "name: w\ninstructions:\n  - {id: a, template: '{{ question.__class__ }}', answer: text}\n",
            ["w.yaml:3", "__class__"],
        ),
        (
            "name: w\ninstructions:\n  - {id: a, template: \"{% include '/etc/passwd' %}\", answer: text}\n",
            ["w.yaml:3"],
        ),
        ("name: w\ninstructions:\n  - {id: a, template: x, answer: {yes!: Y}}\n", ["w.yaml:3", "no!"]),
        ("name: w\ninstructions:\n  - {id: a, ask: x, template: y}\n", ["w.yaml:3"]),
        ("!!python/object/apply:os.system ['true']\n", ["w.yaml:1"]),
    ],
    ids=[
        "malformed",
        "empty",
        "no wordings",
        "unknown field",
        "key twice",
        "id twice",
        "undefined name",
        "template syntax",
        "sandbox escape",
        "include",
        "incomplete mapping",
        "ask and template",
        "constructor tag",
    ],
)
def test_wordings(folder: Path, capsys: pytest.CaptureFixture[str], content: str, fragments: list[str]) -> None:
    (folder / "w.yaml").write_text(content)
    assert_one_line(evaluate(capsys, folder), *fragments)
    assert not (folder / "run" / "cells").exists()


@pytest.mark.parametrize(
    ("task", "data", "fragments"),
    [
        (TASK.replace("binary", "binery"), CSV, ["t.yaml:2", "kind"]),
        (TASK + "colour: red\n", CSV, ["t.yaml:6", "colour"]),
        (TASK.replace("label", "lable"), CSV, ["lable", "label"]),
        (TASK, "question,label\nIs it?,maybe\n", ["t.csv:2", "maybe"]),
        (TASK, "", ["t.csv", "empty"]),
        (TASK, "question,label\n", ["t.csv"]),
        (TASK.replace("t.csv", "missing.csv"), CSV, ["missing.csv"]),
        (TASK.replace("t.csv", "t.xlsx"), CSV, ["t.xlsx"]),
        (TASK + "id: question\n", "question,label\nIs it?,yes!\nIs it?,no!\n", ["t.csv:3", "Is it?"]),
        (TASK, "question,label\nIs it?\n", ["t.csv:2"]),
    ],
    ids=[
        "kind",
        "unknown field",
        "missing column",
        "answer outside options",
        "empty file",
        "header only",
        "missing file",
        "extension",
        "duplicate ids",
        "ragged row",
    ],
)
def test_tasks(folder: Path, capsys: pytest.CaptureFixture[str], task: str, data: str, fragments: list[str]) -> None:
    (folder / "t.yaml").write_text(task)
    (folder / "t.csv").write_text(data)
    if "t.xlsx" in task:
        (folder / "t.xlsx").write_text(data)
    assert_one_line(evaluate(capsys, folder), *fragments)


@pytest.mark.parametrize("name", ["t.yaml", "t.csv", "w.yaml"])
def test_wrong_encoding(folder: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes() + "# café\n".encode("latin-1"))
    assert_one_line(evaluate(capsys, folder), f"{name}:", "UTF-8")


@pytest.mark.parametrize(
    ("changes", "fragments"),
    [
        ({"model": "./no-such-folder"}, ["no-such-folder"]),
        ({"model": "nobody/no-such-model"}, ["nobody/no-such-model"]),
        ({"model-arg": "rule=guess"}, ["rule", "guess"]),
        ({"model-arg": "rule"}, ["KEY=VALUE"]),
        ({"tasks": "mmlo"}, ["mmlo", "mmlu"]),
        ({"tasks": "mmlu/astrology"}, ["astrology"]),
        ({"instructions": "mine"}, ["GROUP=WORDINGS"]),
        ({"instructions": "mine=compsed"}, ["compsed", "composed"]),
        ({"instructions": None}, ["--instructions"]),
        ({"out": None}, ["--out"]),
        ({"num-fewshot": "few"}, ["--num-fewshot", "few"]),
        ({"num-fewshot": "5"}, ["demonstrations"]),
        ({"limit": "0"}, ["limit"]),
        ({"limit": "many"}, ["--limit", "whole number"]),
        ({"batch-size": "0"}, ["--batch-size"]),
        ({"scoring": "vibes"}, ["vibes", "loglikelihood"]),
        ({"prompt-format": "chat"}, ["chat template"]),
        ({"prompt-format": "fancy"}, ["fancy", "plain"]),
        ({"no-such-option": "1"}, ["no-such-option"]),
    ],
    ids=str,
)
def test_options(
    folder: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str | None], fragments: list[str]
) -> None:
    assert_one_line(evaluate(capsys, folder, **changes), *fragments)


def test_a_damaged_cell(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(capsys, folder).code == 0
    (cell,) = (folder / "run").rglob("*.parquet")
    cell.write_bytes(b"PAR1 nonsense")
    assert_one_line(run(capsys, "table", str(folder / "run")), str(cell), "damaged")
    again = evaluate(capsys, folder)
    assert again.code == 0
    assert "damaged" in again.err
    assert run(capsys, "table", str(folder / "run")).code == 0


def test_a_folder_of_another_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(capsys, folder).code == 0
    assert_one_line(evaluate(capsys, folder, limit="1"), "limit", "--out")


def test_no_run_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert_one_line(run(capsys, "table", str(folder / "nothing")), "nothing")
    assert_one_line(run(capsys, "table", str(folder)), "run.json")


def test_some_cells_failed_is_exit_code_4(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "w.yaml").write_text(
        "name: w\ninstructions:\n"
        "  - {id: good, template: '{{ question }}', answer: text}\n"
        "  - {id: bad, template: \"{{ 1 // (0 if question == 'Was it?' else 1) }}\", answer: text}\n"
    )
    outcome = evaluate(capsys, folder)
    assert outcome.code == 4
    assert "w/bad" in outcome.err
    assert "1 of 2 cells are missing" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["evaluate", "-m", "scripted", "-t", "t", "-i", "a=b", "--limit", "ten"], ["--limit", "not a whole number"]),
        (["evaluate", "-m", "scripted", "-t", "t", "-i", "a=b", "--seed", "9" * 5000], ["--seed", "too large"]),
        (["analyze", "run", "--margin", "two"], ["--margin", "not a number"]),
        (["analyze", "run", "--seed", "-1"], ["--seed", "expected a number greater than or equal to 0"]),
        (["table", "run", "--by", "colour"], ["--by", "'colour' is not one of 'task', 'wording'"]),
    ],
    ids=["a word", "too large", "not a number", "below the least", "not a choice"],
)
def test_a_value_of_the_wrong_type_is_named_in_plain_words(
    capsys: pytest.CaptureFixture[str], arguments: list[str], fragments: list[str]
) -> None:
    outcome = run(capsys, *arguments)
    assert_one_line(outcome, *fragments, f"{arguments[0]} --help")
    assert "Input should" not in outcome.err
    assert "Value error" not in outcome.err


def test_an_empty_out_is_no_run_folder(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a shell script leaves it whose variable is not set: the run must not land in the current folder."""
    monkeypatch.chdir(folder)
    assert_one_line(evaluate(capsys, folder, out=""), "--out", "no run folder is named")
    assert not (folder / "run.json").exists()


def test_a_group_has_a_name_that_can_be_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = evaluate(capsys, folder, instructions=f"a\tb={folder / 'w.yaml'}")
    assert_one_line(outcome, "--instructions", r"'a\tb'")


@pytest.mark.parametrize(
    "command", [("plot", "run"), ("evaluate", "--model"), ("instructions", "import"), ("compare", "a")]
)
def test_a_missing_option_is_one_line_also_where_its_values_are_listed(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert_one_line(run(capsys, *command), " --help")
