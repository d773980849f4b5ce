"""What an evaluation would cost, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.core import Example, Kind, ModelIdentity, OptionScores, Task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel
from support import tiny_models
from support.chat_server import chat_of
from support.command_line import run_command
from support.openai_server import serve
from support.reading_task import CLEAR, make_evaluation, make_task, wording


def test_forecast_counts_what_is_missing(tmp_path: Path) -> None:
    evaluation = make_evaluation()
    before = evaluation.forecast(tmp_path)
    assert (before.cells, before.cells_missing, before.prompts_missing) == (2, 2, 14)
    assert before.tokens is not None
    # By hand: "Where does X stand in a dictionary?" has 7 words, "X?" has 1; two options of one word each.
    assert before.tokens.asked == 7 * (2 * 7 + 2) + 7 * (2 * 1 + 2)
    assert before.tokens.unique == 7 * (7 + 2) + 7 * (1 + 2)
    assert not (tmp_path / "run.json").exists()
    evaluation.run(tmp_path)
    after = evaluation.forecast(tmp_path)
    assert (after.cells, after.cells_missing, after.prompts_missing) == (2, 0, 0)


def test_tokens_of_a_large_task_are_extrapolated_from_a_sample() -> None:
    """Every prompt has the same number of words, so that the sample's mean is exact."""
    examples = tuple(Example(f"e{n}", {"question": f"word{n}"}, ("a", "b"), (1.0, 0.0)) for n in range(250))
    task = Task("t", Kind.BINARY, "c", examples)
    groups = {"mine": {"t": [wording("one", "now {{ question }}"), wording("two", "{{ question }}")]}}
    found = prepare(ScriptedModel(), [task], groups, EvaluationSpec()).forecast()
    assert (found.prompts, found.sampled_prompts) == (500, 200)
    assert found.tokens is not None
    # Two options of one word each: 2 (w + 1) words in one pass per option, w + 2 with the prompt computed once.
    assert found.tokens == (250 * (2 * 3) + 250 * (2 * 2), 250 * (2 + 2) + 250 * (1 + 2))


def test_a_model_that_cannot_count_tokens_still_has_a_plan() -> None:
    class Plain:
        identity = ModelIdentity("plain", "1", "none")

        def score_options(self, *_: object, **__: object) -> list[OptionScores]:
            raise AssertionError("a forecast scores nothing")

    found = prepare(Plain(), [make_task()], {"mine": {"letters": [CLEAR]}}, EvaluationSpec()).forecast()
    assert (found.cells, found.prompts, found.tokens, found.sampled_prompts) == (1, 7, None, 7)


def served_evaluation(server: str, folder: Path, *options: str) -> list[str]:
    """Arguments of a dry run of 5 questions under 2 wordings, 4 options each."""
    rows = "".join(f"Number {n}?,A\n" for n in range(5))
    (folder / "t.csv").write_text("question,label\n" + rows)
    (folder / "t.yaml").write_text("name: t\nkind: multi_class\ndata: t.csv\nchoices: [A, B, C, D]\nanswer: label\n")
    entries = [{"id": name, "template": name + " {{ question }}", "answer": "text"} for name in ("one", "two")]
    (folder / "w.yaml").write_text(json.dumps({"name": "w", "instructions": entries}))
    where = ["evaluate", "--model", "openai/m", "--base-url", server, "--model-arg", "retries=1"]
    return [*where, "-t", str(folder / "t.yaml"), "-i", f"g={folder / 'w.yaml'}", "--dry-run", "--json", *options]


def test_requests_of_a_forecast_are_those_that_a_run_sends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(chat_of(tiny_models.tiny_gpt2())) as served:
        for scoring, most in (("first_token", 1), ("generate", 7)):
            options = ("--scoring", scoring, "--max-new-tokens", "7", "--price-per-million", "1,1")
            repeats = ("--repeats", "3", "--temperature", "0.5") if scoring == "generate" else ()
            arguments = served_evaluation(served.base_url, tmp_path, *options, *repeats)
            done = run_command(capsys, *arguments)
            assert done.code == 0, done.err
            found = json.loads(done.out)
            assert found["requests"] == (30 if repeats else 10)
            assert found["output_tokens"] == found["requests"] * most
            assert found["seconds"] > 0
            # The run itself: how many requests does the server get?
            out = str(tmp_path / scoring)
            real = [each for each in arguments if each not in ("--dry-run", "--json")]
            real = real[: real.index("--price-per-million")] + real[real.index("--price-per-million") + 2 :]
            before = len(served.asked)
            done = run_command(capsys, *real, "--no-self-test", "--out", out)
            assert done.code == 0, done.err
            bodies = [each.body for each in served.asked[before:]]
            assert sum("Number" in json.dumps(body) for body in bodies) == found["requests"]


def test_a_dead_server_gives_bounds_and_no_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(chat_of(tiny_models.tiny_gpt2())) as served:
        address = served.base_url
    done = run_command(capsys, *served_evaluation(address, tmp_path))
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["least_requests"], found["requests"]) == (10, 40)
    assert "seconds" not in found
    assert "the server does not answer" in done.err
    assert "same command" not in done.err
    done = run_command(capsys, *served_evaluation(address, tmp_path, "--scoring", "first_token"))
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["requests"], "least_requests" in found) == (10, False)
    arguments = [each for each in served_evaluation(address, tmp_path) if each not in ("--dry-run", "--json")]
    done = run_command(capsys, *arguments, "--out", str(tmp_path / "run"))
    assert done.code == 2
    assert "Check that the server runs" in done.err
