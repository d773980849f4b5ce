"""How surely answers were read, counted over a run of a server whose first tokens are prepared."""

from __future__ import annotations

import json
import math
from collections.abc import Generator
from pathlib import Path

import pytest

import phraseproof
from phraseproof.analysis.readings import readings, require_one_reading
from phraseproof.core import Example, Kind, Task
from phraseproof.errors import UsageError
from phraseproof.models import ModelOptions
from phraseproof.scoring.scorer import Reading
from phraseproof.store.queries import Run
from support.command_line import run_command
from support.openai_server import Asked, Reply, serve

# By question: the choice is certain; another option could be as probable; no option is listed.
FIRST_TOKENS = {
    "certain": {"A": 0.7, " A": 0.1, "B": 0.1, "x": 0.001},
    "open": {"A": 0.3, "x": 0.31},
    "unread": {"The": 0.8, "I": 0.1, "x": 0.05},
}
TASK = Task(
    "words",
    Kind.BINARY,
    "words",
    tuple(Example(name, {"question": name}, ("yes", "no"), (1.0, 0.0)) for name in FIRST_TOKENS),
)


def answer(asked: Asked) -> Reply:
    if "messages" not in asked.body:
        return Reply({"error": "no such endpoint"}, 404)
    text = asked.body["messages"][-1]["content"]
    listed = next((found for name, found in FIRST_TOKENS.items() if name in text), FIRST_TOKENS["certain"])
    top = [{"token": token, "logprob": math.log(value)} for token, value in listed.items()]
    return Reply({"choices": [{"message": {"content": "A"}, "logprobs": {"content": [{"top_logprobs": top}]}}]})


def wordings(folder: Path) -> str:
    path = folder / "mine.yaml"
    entries = [{"id": "a", "template": "{{ question }}: A. yes B. no", "answer": "letter"}]
    path.write_text(json.dumps({"name": "mine", "instructions": entries}))  # JSON is YAML
    return str(path)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Generator[Run]:
    folder = tmp_path_factory.mktemp("served")
    with serve(answer) as served:
        options = ModelOptions(args={"base_url": served.base_url})
        yield phraseproof.evaluate("openai/m", TASK, {"mine": wordings(folder)}, folder / "run", model_options=options)


def test_the_run_says_how_it_was_read(run: Run) -> None:
    assert run.scoring == "first_token"
    assert run.settings["prompt_format"] == "chat"
    assert run.settings["model"]["settings"]["endpoint"] == "chat"


def test_unread_and_open_answers_are_counted_and_unread_ones_are_wrong(run: Run) -> None:
    found = readings(run)
    assert found is not None
    assert found[:4] == (Reading.FIRST_TOKEN, 3, 1, 1)
    assert found.mass == pytest.approx((0.9 + 0.3 + 0.0) / 3)
    assert found.low_mass == 2
    rows = {row["example_id"]: row for row in run.query_rows("SELECT * FROM outcomes")}
    assert [rows[name]["predicted"] for name in FIRST_TOKENS] == [0, 0, None]
    assert [rows[name]["is_open"] for name in FIRST_TOKENS] == [False, True, True]
    assert [rows[name]["score"] for name in FIRST_TOKENS] == [1.0, 1.0, 0.0]
    assert rows["unread"]["text"] == "The"
    assert math.exp(rows["certain"]["option_logprobs"][0]) == pytest.approx(0.8)
    assert math.exp(rows["open"]["option_upper_logprobs"][1]) == pytest.approx(0.39)


def test_scores_that_were_read_in_another_way_are_not_compared(run: Run, tmp_path: Path) -> None:
    local = phraseproof.evaluate("scripted", TASK, {"mine": wordings(tmp_path)}, tmp_path / "local")
    assert readings(local) is None
    require_one_reading([run, run])
    with pytest.raises(UsageError, match=r"read in different ways.*probabilities of the first token.*log-likelihoods"):
        require_one_reading([run, local])
    with pytest.raises(UsageError, match="read in different ways"):
        phraseproof.compare(run, local)
    with pytest.raises(UsageError, match="read in different ways"):
        phraseproof.gate(run, no_worse_than=local)


@pytest.mark.parametrize("command", [("analyze", "--scaling"), ("plot", "--kind", "scaling", "--out", "x.svg")])
def test_one_line_by_size_goes_through_one_reading_only(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    local = phraseproof.evaluate("scripted", TASK, {"mine": wordings(tmp_path)}, tmp_path / "local")
    sizes = [f"--parameters={each.path}={size}" for each, size in ((run, 1e8), (local, 1e9))]
    done = run_command(capsys, command[0], run.path, local.path, *command[1:], *sizes)
    assert (done.code, done.out) == (2, "")
    assert "read in different ways" in done.err


def test_an_unknown_scorer_is_left_alone(run: Run) -> None:
    cells = [{**cell, "scoring": "of-a-package"} for cell in run.content["cells"]]
    assert readings(Run(run.path, {**run.content, "cells": cells})) is None
