"""`phraseproof study`, as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.studies.registry import STUDIES
from support.command_line import run_command
from support.study_runs import four_tasks

SMALL = (
    *("--tasks", "pocket/has-maker", "--observed", "pocket-observed", "--unobserved", "pocket-test"),
    *("--limit", "2", "--quiet"),
)


def test_a_study_of_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, "study", "table-3", "--model", "scripted", *SMALL, "--out", tmp_path)
    assert done.code == 0, done.err
    assert done.out.startswith("Observed and unobserved wordings")
    assert f"exhibit: {tmp_path}" in done.err


def test_a_study_of_a_run_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = four_tasks(tmp_path).path
    done = run_command(capsys, "study", "table-3", "--run", run, "--out", tmp_path / "studies", "--json", "--quiet")
    assert done.code == 0, done.err
    assert json.loads(done.out)["tables"][0]["headings"][-1] == "Overall"


def test_a_dry_run_computes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, "study", "table-3", "--model", "scripted", *SMALL, "--out", tmp_path, "--dry-run")
    assert done.code == 0, done.err
    assert "evaluate scripted" in done.out
    assert list(tmp_path.iterdir()) == []


def test_a_list_without_a_model_plans_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run_command(capsys, "study", "list")
    assert done.code == 0, done.err
    assert done.out.startswith("table-2  Tables 1 and 2")
    assert "prompts" not in done.out
    document = json.loads(run_command(capsys, "study", "list", "--json").out)
    assert [each["name"] for each in document["studies"]] == [study.name for study in STUDIES]
    assert list(tmp_path.iterdir()) == []


def test_the_list_continues_where_one_study_cannot_be_planned(capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, "study", "list", "--model", "scripted")
    assert done.code == 0, done.err
    assert "table-3" in done.out
    reason = "cannot be planned: --observed auto: the wordings that 'scripted' was tuned on are unknown"
    assert reason in " ".join(done.out.split())


def test_all_makes_what_can_be_made_and_names_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = four_tasks(tmp_path).path
    done = run_command(capsys, "study", "all", "--run", run, "--seed", "3", "--out", tmp_path / "studies", "--quiet")
    assert done.code == 2
    assert "--run has no effect on table-2\n" in done.err
    assert "--seed has no effect on table-2, distance, retrain-vs-align, " in done.err
    assert "Collections of wordings" in done.out
    assert "Observed and unobserved wordings" in done.out
    assert "warning: scaling is not made: --model: the study 'scaling' needs models of several sizes" in done.err
    lacking = [study.name for study in STUDIES if study.name not in {"table-2", "table-3", "few-shot", "energy"}]
    assert done.err.splitlines()[-1] == (
        f"error: {len(lacking)} of {len(STUDIES)} studies are not made (got {', '.join(lacking)})"
    )


def test_without_a_model_only_what_a_paraphraser_uses_is_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paraphrasing = ("study", "paraphrase-sources", "--observed", "pocket-observed", "--dry-run", "--out", tmp_path)
    with_one = (*paraphrasing, "--paraphraser", "scripted")
    done = run_command(capsys, *with_one, "--device", "cpu", "--dtype", "float32")
    assert done.code == 0, done.err
    assert "paraphrase pocket-observed with scripted" in " ".join(done.out.split())
    for refused in ((*with_one, "--batch-size", "2"), (*paraphrasing, "--device", "cpu")):
        done = run_command(capsys, *refused)
        assert (done.code, done.err) == (2, f"error: {refused[-2]} requires --model\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("table-33",), "no study is called 'table-33'"),
        (("table-3",), "at least 1 of --model or --run"),
        (("table-3", "-m", "scripted"), "the wordings that 'scripted' was tuned on are unknown"),
        (("table-3", "-m", "pocket", "--parameters", "pocket"), "not a model's size"),
        (("table-3", "-m", "pocket", "--seeds", "2"), "--seeds has no effect on the study 'table-3'. It is an"),
        (("list", "--limit", "2"), "--limit requires --model or --run"),
        (("all", "--limit", "2"), "--limit has no effect on any study without a model"),
        (
            ("forgetting", "-m", "pocket", "--max-steps", "9"),
            "--max-steps: the study compares models after 1 and 25 epochs",
        ),
        (("table-3", "-m", "pocket", "--dry-run", "--format", "latex"), "a plan is text or JSON"),
    ],
)
def test_wrong_input_is_one_line(
    arguments: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = run_command(capsys, "study", *arguments, "--out", tmp_path)
    assert done.code == 2
    *_, last = done.err.splitlines()
    assert last.startswith("error: ")
    assert message in last
