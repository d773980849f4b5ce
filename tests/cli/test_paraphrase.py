"""`phraseproof paraphrase`, end to end against a real HTTP server on loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from phraseproof.cli import main
from phraseproof.core import Relation
from phraseproof.instructions.collections import load_collection
from support.openai_server import Asked, Reply, chat_reply, serve

WORDINGS = """\
name: mine
for: tickets
licence: CC0-1.0
instructions:
  - {id: which, ask: "Which of {{ choices | join(', ') }} should answer this?", layout: "{{ message }}"}
  - {id: say, ask: 'Say "urgent" or "later", as the message deserves.', layout: "{{ message }}", answer: text}
  - {id: whole, template: "{{ message }} ->"}
"""
OPENINGS = {
    "Paraphrase this sentence": "Consider",
    "Paraphrase this instruction": "Let me ask you about",
    "You are": "On",
}


def polite(asked: Asked) -> Reply:
    """A paraphraser of few words that keeps marks and quoted labels; one prompt it always gets wrong."""
    text = asked.body["messages"][0]["content"]
    opening = next(new for old, new in OPENINGS.items() if old in text)
    if "[[1]]" in text:
        return chat_reply(f"{opening} this: is it [[1]] that fits?" if opening != "On" else "I would rather not.")
    return chat_reply(f'"{opening} the message: how pressing is it, "urgent" or "later"?"')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wordings.yaml").write_text(WORDINGS, encoding="utf-8")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["paraphrase", *map(str, arguments)])
    captured = capsys.readouterr()
    assert isinstance(stopped.value.code, int)
    return stopped.value.code, captured.out, captured.err


def test_a_collection_through_a_server(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out" / "new.yaml"
    with serve(polite) as served:
        common = [folder / "wordings.yaml", "--with", "openai/helper", "--base-url", served.base_url, "--out", out]
        code, printed, _ = run(capsys, *common, "--dry-run")
        assert code == 0
        assert "requests               6  (6 not answered yet)" in printed
        assert "at most               18" in printed
        assert served.asked == []
        code, printed, errors = run(capsys, *common, "--temperature", "0.5", "--seed", "3")
        assert code == 0
        asked_first = len(served.asked)
        assert asked_first == 6 + 2  # the one that is always wrong is tried twice more
        assert {asked.body["seed"] for asked in served.asked} == {3, 4, 5}
        assert "kept     5 paraphrases of 2 wordings" in printed
        assert "mine/which, prompt 3: the placeholder [[1]] is gone" in printed
        assert "mine/whole: its ask cannot be separated from its example" in printed
        assert f"written to {out}" in errors
        code, again, _ = run(capsys, *common, "--temperature", "0.5", "--seed", "3")
        assert (code, again) == (0, printed)
        assert len(served.asked) == asked_first
    made = load_collection(str(out)).instructions
    assert [each.name for each in made][:2] == ["new/which~alpaca-1", "new/which~alpaca-2"]
    assert made[0].ask == "Consider this: is it {{ choices | join(', ') }} that fits?"
    assert made[2].ask == 'Consider the message: how pressing is it, "urgent" or "later"?'
    assert {(each.relation, each.author, each.licence, each.serves) for each in made} == {
        (Relation.PARAPHRASE, "openai/helper", "CC0-1.0", ("tickets",))
    }
    assert "temperature 0.5, top_p 1, seed 3, at most 256 new tokens" in (made[0].source or "")


def test_json_says_everything(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "new.yaml"
    with serve(polite) as served:
        common = [folder / "wordings.yaml", "-w", "openai/helper", "--base-url", served.base_url, "-o", out, "--json"]
        forecast = json.loads(run(capsys, *common, "--dry-run")[1])
        assert (forecast["requests"], forecast["skipped"], forecast["max_new_tokens"]) == (6, 1, 256)
        found = json.loads(run(capsys, *common, "--attempts", "1", "--quiet")[1])
    assert len(found["kept"]) == 5
    assert found["unit"] == "words"
    assert found["dropped"][0] == {
        "seed": "mine/which", "prompt": 3, "reason": "the placeholder [[1]] is gone", "answer": "I would rather not.",
    }  # fmt: skip
    assert all(0 <= each["rouge2"] < 0.9 and each["length"] > 4 for each in found["kept"])


def test_the_key_is_written_nowhere(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    out = folder / "new.yaml"
    with serve(polite) as served:
        common = [folder / "wordings.yaml", "--with", "openai/helper", "--base-url", served.base_url, "--out", out]
        _, printed, errors = run(capsys, *common)
    assert served.asked[0].headers["authorization"] == "Bearer sk-very-secret"
    written = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert "sk-very-secret" not in printed + errors + written


def test_a_killed_run_goes_on_where_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    go_on = threading.Event()

    def hangs_after_three(asked: Asked) -> Reply:
        if len(served.asked) > 3:
            go_on.wait(60)
        return polite(asked)

    out = folder / "new.yaml"
    journal = out.with_suffix(".asked.jsonl")
    with serve(hangs_after_three) as served:
        options = ["--base-url", served.base_url, "--model-arg", "concurrency=1", "--attempts", "1"]
        arguments = [str(folder / "wordings.yaml"), "--with", "openai/helper", "--out", str(out), *options]
        command = [sys.executable, "-m", "phraseproof", "paraphrase", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline and len(served.asked) < 4:
                time.sleep(0.02)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        assert not out.exists()
        answered = [json.loads(line)["prompt"] for line in journal.read_text().splitlines()]
        assert len(answered) == 3
        go_on.set()
        code, printed, errors = run(capsys, *arguments)
    assert code == 0
    assert "3 answered before" in errors
    assert "kept     5" in printed
    said = Counter(asked.body["messages"][0]["content"] for asked in served.asked)
    assert len(said) == 6
    assert all(said[prompt] == 1 for prompt in answered)
    assert sum(said.values()) == 7  # the one under way when the run was killed, twice


def test_nothing_kept_is_exit_4_and_no_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "new.yaml"
    code, printed, _ = run(capsys, folder / "wordings.yaml", "--with", "scripted", "--out", out)
    assert code == 4
    assert "kept     0" in printed
    assert "it repeats the prompt" in printed
    assert not out.exists()


def test_a_part_of_a_collection_by_ones_own_prompts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine.yaml").write_text('prompts: ["Briefer: {instruction}"]\n')
    with serve(lambda asked: chat_reply("Name the star that is closest to us")) as served:
        code, _, _ = run(
            capsys,
            *("composed", "--with", "openai/m", "--base-url", served.base_url, "--task", "bbl/known_unknowns"),
            *("--prompts", folder / "mine.yaml", "--out", folder / "new.yaml", "--attempts", "1"),
        )
    assert code == 0
    assert all("Briefer: " in str(asked.body) for asked in served.asked)
    assert {each.serves for each in load_collection(str(folder / "new.yaml")).instructions} == {("bbl/known_unknowns",)}


def test_prepared_answers_make_paraphrases_without_a_server(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = folder / "answers.yaml"
    answers.write_text(
        "answers:\n"
        "  - {to: [should answer this, longer sentence], say: 'Of [[1]], which is the one to reply here?'}\n"
        "  - {to: should answer this, say: [no marks at all, 'Is it [[1]] that ought to answer?']}\n",
        encoding="utf-8",
    )
    out = folder / "new.yaml"
    common = [folder / "wordings.yaml", "--with", "scripted", "--model-arg", f"answers={answers}", "--out", out]
    code, printed, _ = run(capsys, *common, "--temperature", "0.5", "--json")
    assert code == 0
    kept = {each["prompt"]: (each["attempt"], each["ask"]) for each in json.loads(printed)["kept"]}
    assert kept[2] == (1, "Of {{ choices | join(', ') }}, which is the one to reply here?")
    assert kept[1] == (2, "Is it {{ choices | join(', ') }} that ought to answer?")  # the first had lost its mark
    assert {each.relation for each in load_collection(str(out)).instructions} == {Relation.PARAPHRASE}
    answers.write_text("answers: [{to: x}]\n", encoding="utf-8")
    code, printed, errors = run(capsys, *common)
    assert (code, printed, errors.count("\n")) == (2, "", 1)
    assert "answers.yaml:1" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["wordings.yaml", "--with", "scripted", "--out", "new.txt"], "a name that ends in .yaml"),
        (["wordings.yaml", "--with", "scripted", "--out", "new.yaml", "--name", "a/b"], "a name without a slash"),
        (["wordings.yaml", "--with", "scripted", "--out", "new.yaml", "--task", "mmlu"], "no wording of 'mine' is for"),
        (["wordings.yaml", "--with", "scripted", "--out", "new.yaml", "--prompts", "x"], "no set of prompts"),
        (["wordings.yaml", "--with", "scripted", "--out", "new.yaml", "--temperature", "-1"], "--temperature"),
        (["wordings.yaml", "--with", "scripted", "--out", "new.yaml", "--attempts", "0"], "--attempts"),
        (["wordings.yaml", "--with", "openai/m", "--out", "new.yaml", "--base-url", "nowhere"], "not an address"),
        (["gone.yaml", "--with", "scripted", "--out", "new.yaml"], "no such file"),
    ],
)
def test_bad_input_is_one_line(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(folder)
    code, printed, errors = run(capsys, *arguments)
    last = errors.strip().splitlines()[-1]
    assert (code, printed) == (2, "")
    assert message in last
    assert last.startswith("error: ")
