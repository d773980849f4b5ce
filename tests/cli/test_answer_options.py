"""`--extract`, `--reasoning` and `--reasoning-text`, from the command line to stored outcomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phraseproof.cli.answer_options import read_reasoning
from phraseproof.errors import UsageError
from phraseproof.instructions.reasoning import REASONING
from phraseproof.store.queries import load_run
from support.chain_model import write_chain
from support.command_line import run_command
from support.parity_project import write_project

ASKED = "Think it over."


def test_the_options_are_one_field_of_the_spec() -> None:
    assert read_reasoning(False, None, frozenset()) == {}
    assert read_reasoning(True, None, frozenset({"reasoning"})) == {"reasoning": True}
    assert read_reasoning(False, r"First,\nthen", frozenset()) == {"reasoning": "First,\nthen"}
    with pytest.raises(UsageError, match="--reasoning-text"):
        read_reasoning(False, "First", frozenset({"reasoning"}))


def evaluate(project: Path, out: Path, *options: str) -> tuple[str | Path, ...]:
    files = ("-t", project / "task.yaml", "--instructions", f"mine={project / 'wordings.yaml'}", "--out", out)
    return ("evaluate", "-m", "scripted", *files, "--quiet", *options)


def test_stored_texts_are_read_again_without_the_model(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    project, out = write_project(tmp_path, examples=4, wordings=2), tmp_path / "run"
    prepared = tmp_path / "answers.yaml"
    prepared.write_text(json.dumps({"answers": [{"to": "Wording", "say": "[b]It is\x1b[2J <i>unclear,\nI'd say"}]}))
    pattern = r"regex:\b([A-E]),{1,2}<b>\["
    command = evaluate(project, out, "--model-arg", f"answers={prepared}", "--scoring", "loglikelihood,generate")
    assert run_command(capsys, *command).code == 0
    before = {row["example_id"]: row["text"] for row in load_run(out).select("generate").query_rows("FROM outcomes")}
    usage = load_run(out).content["usage"]
    for reading in ("last_line", pattern):
        done = run_command(capsys, *command, "--extract", reading)
        assert done.code == 0, done.err
        run = load_run(out).select(f"generate:{reading}")
        assert {row["example_id"]: row["text"] for row in run.query_rows("FROM outcomes")} == before
        assert run.content["usage"]["tokens_computed"] == usage["tokens_computed"]
        shown = run_command(capsys, "table", out, "--scoring", run.scoring).out
        assert f"scoring {run.scoring}" in shown
    assert load_run(out).scorings == ("loglikelihood", "generate", "generate:last_line", f"generate:{pattern}")
    page = tmp_path / "page.html"
    command = evaluate(project, tmp_path / "texts", "--model-arg", f"answers={prepared}", "--scoring", "generate")
    assert run_command(capsys, *command).code == 0
    assert run_command(capsys, "report", tmp_path / "texts", "--out", page).code == 0
    assert r"unread texts begin most often with &#34;[b]It is\x1b[2J &lt;i&gt;" in page.read_text()


def test_a_reasoning_is_another_run_and_its_conclusion_is_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    project, out = write_project(tmp_path, examples=4, wordings=2), tmp_path / "run"
    options = ("--scoring", "loglikelihood,generate", "--log-samples")
    done = run_command(capsys, *evaluate(project, out, *options, "--reasoning-text", ASKED, "--num-fewshot", "1"))
    assert done.code == 0, done.err
    assert "the demonstrations show answers without a reasoning" in done.err
    run = load_run(out)
    assert run.scorings == ("loglikelihood", "generate:conclusion")
    assert run.settings["generation"] == {
        "temperature": 0.0,
        "max_new_tokens": 1024,
        "seed": 0,
        "reasoning": ASKED,
    }
    for scoring, times in (("loglikelihood", 0), ("generate:conclusion", 1)):
        prompts = [row["prompt"] for row in run.select(scoring).query_rows("SELECT prompt FROM outcomes")]
        assert {prompt.count(ASKED) for prompt in prompts} == {times}
    shown = run_command(capsys, "table", out, "--scoring", "generate:conclusion").out
    assert "at most 1024 tokens, asked for a reasoning first)" in " ".join(shown.split())
    again = run_command(capsys, *evaluate(project, out, *options, "--reasoning", "--num-fewshot", "1"))
    assert again.code == 2
    assert "another setting of generation.reasoning" in again.err
    assert REASONING.splitlines()[0] in again.err


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--extract", "last_line"), "--extract: only generated answers have"),
        (("--reasoning", "--scoring", "loglikelihood,paper"), "--reasoning: only generated answers have"),
        (("--scoring", "generate", "--extract", "lastline"), "Did you mean 'last_line'"),
        (("--scoring", "generate", "--reasoning-text", " "), "an empty sentence asks for nothing"),
    ],
)
def test_options_without_effect_or_sense_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: tuple[str, ...], problem: str
) -> None:
    done = run_command(capsys, *evaluate(write_project(tmp_path, examples=2, wordings=1), tmp_path / "run", *options))
    assert done.code == 2
    assert problem in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("special", [(), ("</think>",)])
def test_a_template_that_opens_a_thought_is_answered_after_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, special: tuple[str, ...]
) -> None:
    project = write_project(tmp_path, examples=4, wordings=2)
    closing = write_chain(tmp_path / "closing", ("Answer: even, perhaps. ", "</think>", "Answer: odd"), special=special)
    lost = write_chain(tmp_path / "lost", ("Answer: even ", "or ", "Answer: even "))
    command = evaluate(project, tmp_path / "run", "--scoring", "generate", "--max-new-tokens", "6", "--reasoning")
    done = run_command(capsys, *command, "-m", closing)
    assert done.code == 0, done.err
    rows = load_run(tmp_path / "run").query_rows("SELECT options, predicted, text FROM outcomes")
    assert {row["text"] for row in rows} == {"<think>Answer: even, perhaps. </think>Answer: odd"}
    assert {row["options"][row["predicted"]] for row in rows} == {"odd"}
    # Without --reasoning, and for log-likelihoods, options are still refused inside a thought.
    for options in (("--scoring", "generate"), ("--scoring", "loglikelihood,generate", "--reasoning")):
        refused = run_command(capsys, *evaluate(project, tmp_path / "refused", *options, "-m", str(closing)))
        assert refused.code == 2
        assert "opens a block of thoughts before the answer" in refused.err
        assert "--scoring generate --reasoning lets the model close it" in refused.err
    # A thought that is never closed has no answer, whatever it names.
    command = evaluate(project, tmp_path / "cut", "--scoring", "generate", "--max-new-tokens", "6", "--reasoning")
    assert run_command(capsys, *command, "-m", lost).code == 0
    rows = load_run(tmp_path / "cut").query_rows("SELECT predicted, text FROM outcomes")
    assert {(row["predicted"], row["text"]) for row in rows} == {(None, f"<think>{'Answer: even or ' * 3}".strip())}


def test_free_text_after_an_opened_thought_is_judged_without_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text("text,same\nOne.,odd\nTwo.,odd\n")
    (tmp_path / "task.yaml").write_text(
        "name: copy\nkind: free_text\ndata: rows.csv\nfields: {text: text}\nanswer: same\n"
    )
    (tmp_path / "wordings.yaml").write_text("name: mine\ninstructions:\n  - {id: w, template: 'Copy: {{ text }}'}\n")
    for name, pieces, score in (("closing", ("odd ", "</think>", "odd"), 1.0), ("lost", ("odd",), 0.0)):
        model = write_chain(tmp_path / name, pieces)
        command = evaluate(tmp_path, tmp_path / f"run-{name}", "--max-new-tokens", "4", "-m", str(model))
        done = run_command(capsys, *command)
        assert done.code == 0, done.err
        rows = load_run(tmp_path / f"run-{name}").query_rows("SELECT score, text FROM outcomes")
        assert [(row["score"], row["text"]) for row in rows] == [(score, f"<think>{''.join(pieces)}")] * 2
