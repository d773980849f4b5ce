"""Variance over repeats next to variance over wordings, from a server that answers by wording and seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import phraseproof
from phraseproof.analysis.readings import readings
from phraseproof.analysis.repeats import repeat_variances
from phraseproof.core import Cell, Example, Kind, Outcome, Task
from phraseproof.errors import RunError, UsageError
from phraseproof.models import ModelOptions
from phraseproof.reports.build.readings import reading_lines
from phraseproof.scoring.registry import metric
from phraseproof.store.queries import Run, load_run
from phraseproof.store.writer import RunStore, Usage
from support.openai_server import Asked, Reply, chat_reply, serve
from support.text_runs import texts_of

EXAMPLES = tuple(Example(f"q{n}", {"question": f"q{n}."}, ("yes", "no"), (1.0, 0.0)) for n in range(4))
TASK = Task("words", Kind.BINARY, "words", EXAMPLES)

# By wording and seed, the questions that are answered right; all others are answered wrong.
RIGHT = {
    ("One", 0): (0, 1),
    ("One", 1): (0, 1, 2),
    ("One", 2): (0,),
    ("Two", 0): (0, 1, 2, 3),
    ("Two", 1): (0, 1, 2, 3),
    ("Two", 2): (0, 1, 2),
}


def answer(asked: Asked) -> Reply:
    if "messages" not in asked.body or "logprobs" in asked.body:
        return Reply({"error": "not here"}, 404 if "messages" not in asked.body else 400)
    text, seed = asked.body["messages"][-1]["content"], asked.body["seed"]
    if not text.startswith(("One", "Two")):
        return chat_reply("7")  # the trials
    right = any(f"q{number}." in text for number in RIGHT[text[:3], seed])
    return chat_reply("The answer is A." if right else "I would say: no")


@pytest.fixture
def evaluate(tmp_path: Path) -> Callable[..., Run]:
    path = tmp_path / "mine.yaml"
    entries = [
        {"id": name, "template": f"{name}: {{{{ question }}}} A. yes B. no", "answer": "letter"}
        for name in ("One", "Two")
    ]
    path.write_text(json.dumps({"name": "mine", "instructions": entries}))  # JSON is YAML

    def run(base_url: str, **options: object) -> Run:
        return phraseproof.evaluate(
            "openai/m",
            TASK,
            {"mine": str(path)},
            tmp_path / "run",
            model_options=ModelOptions(args={"base_url": base_url, "endpoint": "chat"}),
            self_test=False,
            **options,  # pyright: ignore[reportArgumentType] - by name, in tests
        )

    return run


def test_repeats_are_a_facet_of_their_own(evaluate: Callable[..., Run]) -> None:
    with serve(answer) as served:
        run = evaluate(served.base_url, repeats=3, temperature=0.7, max_new_tokens=40)
        asked = len(served.asked)
        again = evaluate(served.base_url, repeats=3, temperature=0.7, max_new_tokens=40)
        # One more repeat asks for that one only; here the server does not know its seed.
        trials = len(served.asked) - asked
    assert run.scoring == "generate"
    assert run.settings["generation"] == {"temperature": 0.7, "max_new_tokens": 40, "seed": 0}
    body = next(each.body for each in served.asked if str(each.body["messages"][-1]["content"]).startswith("One"))
    assert (body["temperature"], body["max_tokens"]) == (0.7, 40)
    assert trials < 10
    assert {cell.repeat for cell in again.cells} == {0, 1, 2}
    rows = run.query_rows("SELECT repeat, instruction, avg(score) AS mean FROM outcomes GROUP BY ALL ORDER BY ALL")
    means = {(row["instruction"].split("/")[1], row["repeat"]): row["mean"] for row in rows}
    assert means == {place: len(right) / 4 for place, right in RIGHT.items()}
    (found,) = repeat_variances(run)
    # Variances with n - 1: (0.5, 0.75, 0.25) has 0.0625, (1, 1, 0.75) has 1 / 48.
    assert found.std_repeats == pytest.approx(((0.0625 + 1 / 48) / 2) ** 0.5)
    assert found.std_wordings == pytest.approx(((11 / 12 - 0.5) ** 2 / 2) ** 0.5)
    assert found.std_beyond_repeats == pytest.approx(((11 / 12 - 0.5) ** 2 / 2 - (0.0625 + 1 / 48) / 6) ** 0.5)
    assert found.changed == pytest.approx(3 / 8)
    lines = reading_lines(run)
    assert lines[0] == "read from generated texts (temperature 0.7, at most 40 tokens, answer format text)"
    assert "words, mine: 3 repeats; Std 20.4 points over repeats of a wording, 29.5 over the means of 2" in lines[-1]
    assert "37.5% of answers are not the same in every repeat" in lines[-1]


def test_another_temperature_is_another_run(evaluate: Callable[..., Run]) -> None:
    with serve(answer) as served:
        run = evaluate(served.base_url, scoring="generate")
        assert repeat_variances(run) == ()
        with pytest.raises(RunError, match=r"another setting of generation\.temperature .expected 0\.0, got 0\.7"):
            evaluate(served.base_url, scoring="generate", temperature=0.7)


def test_repeats_of_what_is_not_generated_are_refused(evaluate: Callable[..., Run], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--repeats: only generated answers have repeats"):
        phraseproof.evaluate("scripted", TASK, {"mine": str(tmp_path / "mine.yaml")}, tmp_path / "other", repeats=2)
    with pytest.raises(UsageError, match="do not know repeats"):
        evaluate("http://127.0.0.1:9/v1", scoring="loglikelihood", repeats=2, budget="50%")


def test_an_answer_that_names_no_option_is_unread(evaluate: Callable[..., Run]) -> None:
    with serve(lambda asked: chat_reply("I do not know") if "q1." in str(asked.body) else answer(asked)) as served:
        run = evaluate(served.base_url, scoring="generate")
    found = readings(run)
    assert found is not None
    assert (found.outcomes, found.unread, found.open, found.mass) == (8, 2, 0, None)
    assert "2 of 8 (25.0%) answers are unread" in " ".join(reading_lines(run))
    rows = run.query_rows("SELECT score, text FROM outcomes WHERE predicted IS NULL")
    assert rows == [{"score": 0.0, "text": "I do not know"}] * 2


def test_repeats_of_texts_change_where_a_text_does_and_keep_the_corpus_metric(tmp_path: Path) -> None:
    judge = metric("bleu")
    texts = {("w", 0): texts_of(2, 6), ("w", 1): [*texts_of(3, 2), *texts_of(2, 6)[2:]]}
    cells = {
        Cell(f"{repeat:032x}", "t", "c", name, "g", 0, 0, 6, scoring="generate", metric="bleu", repeat=repeat): rows
        for (name, repeat), rows in texts.items()
    }
    store = RunStore(tmp_path / "run", {"model": {"name": "m"}, "scoring": "generate"})
    store.register(list(cells), {"groups": {"g": {}}})
    for cell, rows in cells.items():
        store.write(cell, judge.judge(rows), Usage())
    (found,) = repeat_variances(load_run(tmp_path / "run"))
    means = [float(judge.aggregate(_sums(rows), 6)) for rows in texts.values()]
    assert found.std_repeats == pytest.approx(abs(means[0] - means[1]) / 2**0.5)
    different = sum(first.text != second.text for first, second in zip(*texts.values(), strict=True))
    assert different > 0
    assert found.changed == pytest.approx(different / 6)


def _sums(rows: list[Outcome]) -> np.ndarray:
    return np.array([metric("bleu").example_statistics(each) for each in rows]).sum(axis=0)
