"""From planned cells to outcomes: what is stored is used, and what was scored is kept whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import OptionScores, Prompt
from phraseproof.errors import ModelError
from phraseproof.evaluation import ask_model, score_cells
from phraseproof.evaluation.run import Interrupted
from phraseproof.models.scripted import ScriptedModel
from support.growing_run import EXAMPLES, Listener, Model, evaluate, rows_of


def test_one_bad_answer_fails_its_cell_and_the_rest_of_it_is_kept(tmp_path: Path) -> None:
    class Served(Model):
        is_broken = True

        def stream_scores(self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_scores: Any) -> None:
            for index, prompt in enumerate(prompts):
                bad = self.is_broken and prompt.text == "please question 3"
                on_scores(index, ModelError("no log-probability") if bad else self.score_options([prompt])[0])

    model, listener = Served(), Listener()
    run = evaluate(tmp_path, model, observer=listener)
    assert [(failure.cell.instruction, failure.error) for failure in run.failures] == [
        ("mine/w1", "no log-probability")
    ]
    assert listener.warnings == ["t under mine/w1 failed: no log-probability"]
    assert listener.done == EXAMPLES
    assert len(model.asked) == 23
    model.is_broken = False
    model.asked.clear()
    run = evaluate(tmp_path, model)
    assert model.asked == ["please question 3"]
    assert rows_of(run) == rows_of(evaluate(tmp_path / "scratch", Model()))


def test_a_model_without_streaming_is_called_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        """Scores in whole calls only, as models of other packages may."""

        def __init__(self) -> None:
            self._model = ScriptedModel()
            self.identity = self._model.identity
            self.calls: list[int] = []

        def score_options(
            self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Any = None
        ) -> Any:
            if self.calls:
                raise KeyboardInterrupt
            self.calls.append(len(prompts))
            return self._model.score_options(prompts, method=method)

    monkeypatch.setattr(ask_model, "_FIRST_CALL_PROMPTS", 5)
    model: Any = Plain()
    with pytest.raises(Interrupted, match="stopped: 5 of 24 prompts"):
        evaluate(tmp_path, model)
    assert model.calls == [5]
    rest = Model()
    evaluate(tmp_path, rest)
    assert len(rest.asked) == 24 - 5


def test_an_interrupted_run_says_what_was_kept_and_asks_nothing_twice(tmp_path: Path) -> None:
    stopped = Model(stops_after=17)
    with pytest.raises(
        Interrupted, match=rf"stopped: 17 of 24 prompts are stored in {tmp_path}; the same command continues"
    ):
        evaluate(tmp_path, stopped)
    assert len(list(tmp_path.rglob("*.jsonl"))) == 2
    again, listener = Model(), Listener()
    run = evaluate(tmp_path, again, observer=listener)
    assert len(again.asked) == 7
    assert listener.done == 24
    assert not set(stopped.asked) & set(again.asked)
    assert not (tmp_path / "journal").exists()
    assert rows_of(run) == rows_of(evaluate(tmp_path / "scratch", Model()))


def test_cost_is_shared_among_outcomes_by_the_tokens_they_took(tmp_path: Path) -> None:
    run = evaluate(tmp_path, Model(), wordings=2)
    scores = ScriptedModel().score_options([Prompt(f"question {n}", ("yes", "not at all")) for n in range(EXAMPLES)])
    please = ScriptedModel().score_options(
        [Prompt(f"please question {n}", ("yes", "not at all")) for n in range(EXAMPLES)]
    )
    usage = run.content["usage"]
    assert usage["tokens_computed"] == sum(each.computed_tokens for each in (*scores, *please))
    assert usage["tokens_asked"] == sum(each.asked_tokens for each in (*scores, *please))


def test_outcomes_are_journaled_while_the_model_still_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill loses no more than the interval: here none, so that every outcome is written at once."""
    monkeypatch.setattr(score_cells, "JOURNAL_INTERVAL_S", 0.0)
    written: list[int] = []

    class Watched(Model):
        def score_options(
            self,
            prompts: Sequence[Prompt],
            *,
            method: str = "loglikelihood",
            on_done: Callable[[int], None] | None = None,
        ) -> list[OptionScores]:
            written.append(sum(path.read_bytes().count(b"example_id") for path in tmp_path.rglob("*.jsonl")))
            return super().score_options(prompts, method=method, on_done=on_done)

    evaluate(tmp_path, Watched(), wordings=1)
    assert written == list(range(EXAMPLES))
