"""`phraseproof doctor`: what it looks at, how it says so, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.cli import main
from phraseproof.core import Check
from support.openai_server import Asked, Reply, serve

TASK = "name: t\nkind: binary\ndata: t.csv\nchoices: [yes!, no!]\nanswer: label\n"
WORDINGS = "name: w\ninstructions:\n  - {id: one, template: '{{ question }}', answer: text}\n"


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["doctor", *arguments])
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


def test_the_installation(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = doctor(capsys)
    assert (code, err) == (0, "")
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["ok", "phraseproof"],
        ["ok", "python"],
        ["ok", "hugging"],
        ["ok", "accelerator"],
        ["ok", "half"],
    ]


def test_a_model_on_plain_questions_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = doctor(capsys, "--model", "scripted", "--json")
    checks = json.loads(out)
    assert (code, err) == (0, "")
    assert all(check["passed"] for check in checks)
    assert {"python", "batch invariance", "no doubled BOS", "options tokenise apart"} <= {
        check["name"] for check in checks
    }


def test_a_model_on_the_users_own_task_and_wordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.yaml").write_text(TASK)
    (tmp_path / "t.csv").write_text("question,label\nIs it?,yes!\n")
    (tmp_path / "w.yaml").write_text(WORDINGS)
    code, out, _ = doctor(
        capsys, "-m", "scripted", "--tasks", str(tmp_path / "t.yaml"), "--instructions", str(tmp_path / "w.yaml")
    )
    assert code == 0
    assert "batch invariance" in out


def test_a_failed_check_is_shown_and_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from phraseproof.models.scripted import ScriptedModel

    monkeypatch.setattr(ScriptedModel, "self_test", lambda *_: [Check("no doubled BOS", False, "two of them")])
    code, out, _ = doctor(capsys, "-m", "scripted")
    assert code == 2
    assert out.splitlines()[-1].split() == ["FAIL", "no", "doubled", "BOS", "two", "of", "them"]


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        (["-m", "./no-such-folder"], "no-such-folder"),
        (["-m", "scripted", "--batch-size", "none"], "--batch-size"),
        (["-m", "scripted", "--instructions", "compsed"], "composed"),
        (["--tasks", "mmlu"], "--tasks requires --model"),
        (["--dtype", "float32"], "--dtype requires --model"),
        (["--prompt-format", "plain"], "--prompt-format requires --model"),
    ],
)
def test_what_cannot_be_tested(arguments: list[str], fragment: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = doctor(capsys, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert fragment in err


def _continue(asked: Asked) -> Reply:
    """Log-probabilities of every character, that depend on the character alone."""
    text = asked.body["prompt"]
    values = [None, *(-1 - ord(character) % 7 / 7 for character in text[1:])]
    return Reply({"choices": [{"text": "", "logprobs": {"tokens": list(text), "token_logprobs": values}}]})


def test_a_served_model_is_tested_by_its_log_probabilities(capsys: pytest.CaptureFixture[str]) -> None:
    with serve(_continue) as served:
        model = ("--model", "openai/m", "--base-url", served.base_url)
        code, out, _ = doctor(capsys, *model, "--model-arg", "endpoint=completions", "--json")
        auto_code, auto_out, _ = doctor(capsys, *model)
    with serve(lambda _: Reply({"choices": [{"text": "A", "message": {"content": "A"}}]})) as served:
        bare_code, bare_out, _ = doctor(capsys, "--model", "openai/m", "--base-url", served.base_url)
    with serve(lambda _: Reply({"error": "not today"}, 400)) as served:
        closed_code, _, closed_err = doctor(capsys, "--model", "openai/m", "--base-url", served.base_url)
    assert code == 0
    found = {check["name"]: check["detail"] for check in json.loads(out)}
    assert found["log-probabilities"] == "of prompt and options, for 3 of 3 prompts"
    assert found["same scores when asked again"] == "largest difference 0.0e+00 nats per token"
    assert auto_code == 0
    assert "scoring loglikelihood: the server returns the log-probabilities of prompts" in auto_out
    assert bare_code == 0
    assert "generate (scoring generate: the server follows no constraint" in bare_out
    assert "first_token does not work: the server does not list the most probable first tokens" in bare_out
    assert closed_code == 2
    assert "loglikelihood does not work: the server refuses the request: HTTP 400" in closed_err
