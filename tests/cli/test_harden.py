from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.store.queries import load_run
from support.command_line import exit_code as call
from support.tiny_models import tiny_llama


@pytest.fixture
def project(tmp_path: Path) -> Path:
    rows = "".join(f"river {n},{'one' if n % 2 else 'two'}\n" for n in range(12))
    (tmp_path / "t.csv").write_text("question,label\n" + rows)
    (tmp_path / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: [one, two]\nanswer: label\n")
    wordings = "".join(
        f"  - {{id: w{n}, ask: 'Wording {n}:', layout: '{{{{ question }}}}', answer: text}}\n" for n in range(6)
    )
    (tmp_path / "w.yaml").write_text(f"name: w\ninstructions:\n{wordings}")
    return tmp_path


@pytest.mark.slow
def test_harden_then_evaluate_warns_of_what_the_adapter_has_seen(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--model", str(tiny_llama()), "--tasks", str(project / "t.yaml")]
    assert (
        call("harden", *common, "-i", str(project / "w.yaml"), "-o", str(project / "h"), "--max-steps", "2", "--json")
        == 0
    )
    captured = capsys.readouterr()
    assert "learning rate 0.001, the default of lora+paft+choice" in captured.err
    result = json.loads(captured.out)
    assert result["trained_method"] == "lora+paft+choice"
    assert result["verdict"] in {"helped", "hurt", "not shown"}
    assert result["gain_low"] <= result["gain_percentage_points"] <= result["gain_high"]
    # Of the two evaluations on held-out wordings neither was warned of; a new one on all wordings is.
    assert "was trained on" not in captured.err
    out = project / "all"
    evaluated = call(
        *("evaluate", *common, "-i", f"all={project / 'w.yaml'}", "--adapter", result["folder"], "--out", str(out)),
    )
    assert evaluated == 0
    # One of the three training wordings was only looked at, by the training's own held-out pairs.
    told = capsys.readouterr().err
    assert "was trained on 2 of the wordings under test" in told
    assert "other weights" not in told
    assert not load_run(out).missing
    record = Path(result["folder"], "phraseproof.json")
    revision = json.loads(record.read_text())["base_model"]["revision"]
    record.write_text(record.read_text().replace(revision, "0" * len(revision)))
    call("evaluate", *common, "-i", f"all={project / 'w.yaml'}", "--adapter", result["folder"], "--dry-run")
    assert f"was trained on other weights than those of {tiny_llama()}" in capsys.readouterr().err


def test_too_few_wordings_is_one_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "few.yaml").write_text("name: w\ninstructions:\n  - {id: a, template: '{{ question }}', answer: text}\n")
    code = call(
        "harden", "-m", "x", "-t", str(project / "t.yaml"), "-i", str(project / "few.yaml"), "-o", str(project / "h")
    )
    assert code == 2
    assert capsys.readouterr().err.startswith("error: --instructions: task 't' has too few wordings")


def test_pairs_are_made_of_a_task_and_two_collections(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "r.yaml").write_text(
        "name: r\ninstructions:\n  - {id: ref, ask: 'Say it:', layout: '{{ question }}', answer: text}\n"
    )
    out = project / "pairs.jsonl"
    code = call(
        *("pairs", "from-task", "-t", str(project / "t.yaml"), "-r", str(project / "r.yaml")),
        *("-p", str(project / "w.yaml"), "-o", str(out), "--limit", "5"),
    )
    assert code == 0
    captured = capsys.readouterr()
    assert captured.out == f"5 pairs: {out}\n"
    assert "the pairs use its test examples" in captured.err
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert {line["instruction"] for line in lines} == {"Say it:"}
    assert all(len(line["paraphrases"]) == 6 and line["target"] in {"one", "two"} for line in lines)


@pytest.mark.parametrize("option", ["--held-out", "--training-share"])
def test_a_share_that_is_none_is_named_by_its_option(
    project: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    arguments = ["-t", str(project / "t.yaml"), "-i", str(project / "w.yaml"), "-o", str(project / "h")]
    assert call("harden", "-m", "pocket", *arguments, option, "1.5") == 2
    error = capsys.readouterr().err
    assert f"error: {option}: the share is out of range (expected a number between 0 and 1, got 1.5)" in error


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rates", "1e-3"], "--rates: --rates requires --methods"),
        (["--dry-run"], "--dry-run: --dry-run requires --methods"),
        (["--methods", "pt", "--no-timing"], "--timing requires --dry-run"),
        (["--format", "csv"], "--format: --format requires --methods"),
        (["--methods", "pt", "--lr", "1e-3"], "--learning-rate: --learning-rate does not apply to a search"),
        (["--methods", "pt", "--held-out", "0.4"], "--held-out: --held-out does not apply to a search"),
    ],
)
def test_options_of_one_method_and_of_a_search_are_not_mixed(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    common = ["-t", str(project / "t.yaml"), "-i", str(project / "w.yaml"), "-o", str(project / "h")]
    assert call("harden", "-m", "pocket", *common, *arguments) == 2
    assert f"error: {message}" in capsys.readouterr().err
