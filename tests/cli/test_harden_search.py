from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import RunError
from support.command_line import exit_code, run_command
from support.tiny_models import tiny_llama


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    rows = "".join(f"river {n},{'one' if n % 2 else 'two'}\n" for n in range(34))
    (tmp_path / "t.csv").write_text("question,label\n" + rows)
    (tmp_path / "t.yaml").write_text("name: t\nkind: binary\ndata: t.csv\nchoices: [one, two]\nanswer: label\n")
    wordings = "".join(
        f"  - {{id: w{n}, ask: 'Wording {n}:', layout: '{{{{ question }}}}', answer: text}}\n" for n in range(8)
    )
    (tmp_path / "w.yaml").write_text(f"name: w\ninstructions:\n{wordings}")
    return [
        *("harden", "-m", str(tiny_llama()), "-t", str(tmp_path / "t.yaml"), "-i", str(tmp_path / "w.yaml")),
        *("-o", str(tmp_path / "out"), "--methods", "pt", "--rates", "1e-3", "--max-steps", "1", "--num-tokens", "2"),
    ]


@pytest.mark.slow
def test_a_forecast_and_then_the_search(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    done = run_command(capsys, *arguments, "--dry-run")
    assert done.code == 0
    assert "trainings                     2  (1 to compare, then 1)" in done.out
    assert "(1 step was timed, of 1 method)" in done.out
    assert "with the model as it is)" in done.out
    untimed = run_command(capsys, *arguments, "--dry-run", "--no-timing")
    assert "time                    unknown  (--timing does a few steps and scores a few prompts)" in untimed.out
    assert not Path(arguments[arguments.index("-o") + 1]).exists()
    few = ("--gradient-accumulation", "1", "--paraphrases-per-batch", "1", "--dry-run", "--no-timing", "--json")
    # One batch per step of each of the two trainings: the reference and one other wording.
    assert json.loads(run_command(capsys, *arguments, *few).out)["training_prompts"] == 2 * 2
    forecast = json.loads(run_command(capsys, *arguments, "--dry-run", "--json").out)
    assert forecast["seconds"] == forecast["training_seconds"] + forecast["scoring_seconds"] > 0

    found = json.loads(run_command(capsys, *arguments, "--json").out)
    assert found["chosen"] == {"method": "pt", "learning_rate": 0.001}
    assert sum(each["tokens"] for each in found["trainings"]) == forecast["training_tokens"]
    assert json.loads((Path(arguments[arguments.index("-o") + 1]) / "search.json").read_text()) == found
    # The same command prints the stored result, for people and for spreadsheets.
    text = run_command(capsys, *arguments)
    assert f"=> {found['recommendation'][:30]}" in text.out
    assert "trained; runs:" in text.err
    rows = run_command(capsys, *arguments, "--format", "csv").out.splitlines()
    assert len(rows) == 1 + len(found["rows"])


def test_too_few_wordings_for_three_sets_is_one_line(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (tmp_path / "w.yaml").read_text().splitlines()
    (tmp_path / "w.yaml").write_text("\n".join(lines[:9]) + "\n")
    done = run_command(capsys, *arguments)
    assert done.code == 2
    assert done.err.splitlines()[-1].startswith(
        "error: --instructions: task 't' has too few wordings for three sets (expected at least 2 different ones"
    )


@pytest.mark.parametrize("is_search", [True, False])
def test_a_failure_ends_the_bar_of_the_evaluation(
    is_search: bool, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def fail(*_: object, observers: Any, **__: object) -> None:
        observers[0].started(total=10, done=0)
        raise RunError("the disk is full")

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("phraseproof.reduction.method_search.search_and_keep", fail)
    monkeypatch.setattr("phraseproof.hardening.run_hardening", fail)
    if not is_search:
        first = arguments.index("--methods")
        arguments[first : first + 4] = ["--method", "pt"]
    assert exit_code(*arguments) == 2
    before, shown, after = terminal.getvalue().partition("\x1b[?25l")  # the bar hides the cursor
    assert shown
    assert "\x1b[?25h" in after.partition("the disk is full")[0], before
