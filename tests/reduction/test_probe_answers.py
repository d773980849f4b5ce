"""Answers to extra prompts: asked once, kept in the run folder, and only of the model of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.core import OptionScores, Prompt
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.run import Evaluation
from phraseproof.models.scripted import ScriptedModel
from phraseproof.reduction.probe_answers import FOLDER, ask, evaluation_of, planned_cells
from phraseproof.reduction.probe_prompts import Probe, without_content
from phraseproof.store.queries import Run
from support.calibrated_runs import evaluation, labelled_task, prefers, run


class Counting(SilentObserver):
    def __init__(self) -> None:
        self.done = self.total = self.now = 0

    def started(self, *, total: int, done: int) -> None:
        self.total, self.done = total, done

    def advanced(self, prompts: int) -> None:
        self.now += prompts


def probes_of(whole: Evaluation) -> dict[str, list[Probe]]:
    return {each.cell.identity: without_content(whole, each) for each in whole.planned}


def asked(source: Run, whole: Evaluation, observer: Counting) -> dict[str, list[tuple[float, ...]]]:
    tasks = {cell.identity: cell.task for cell in source.cells}
    return ask(source, whole, "contextual", probes_of(whole), tasks, observer)


def test_answers_are_those_of_the_model_and_are_not_asked_again(tmp_path: Path) -> None:
    source, whole, first, second = run(tmp_path), evaluation(), Counting(), Counting()
    found = asked(source, whole, first)
    assert isinstance(whole.model, ScriptedModel)
    for identity, probes in probes_of(whole).items():
        expected = whole.model.score_options([probe.prompt for probe in probes])
        assert found[identity] == [scores.logprobs for scores in expected]
    assert (first.total, first.done, first.now) == (15, 0, 15)
    assert asked(source, whole, second) == found
    assert (second.total, second.done, second.now) == (15, 15, 0)
    assert len(list((tmp_path / FOLDER / "contextual" / "t").glob("*.json"))) == 5


class Failing(ScriptedModel):
    """Fails at one of its prompts."""

    def __init__(self, score: Callable[[Prompt, str], float], fails_at: str) -> None:
        super().__init__(score)
        self._fails_at = fails_at

    def stream_scores(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        on_scores: Callable[[int, OptionScores | ModelError], None],
    ) -> None:
        for index, prompt in enumerate(prompts):
            if prompt.text == self._fails_at:
                on_scores(index, ModelError("the answer cannot be used"))
            else:
                on_scores(index, self.score_options([prompt], method=method)[0])


def test_what_was_answered_before_a_failure_is_kept(tmp_path: Path) -> None:
    source, whole = run(tmp_path), evaluation()
    failing = replace(whole, model=Failing(prefers(), "Say 2: [MASK]"))
    with pytest.raises(ModelError, match="the answer cannot be used"):
        asked(source, failing, Counting())
    later = Counting()
    asked(source, whole, later)
    assert (later.done, later.now) == (14, 1)


def test_damaged_answers_are_one_line(tmp_path: Path) -> None:
    source, whole = run(tmp_path), evaluation()
    asked(source, whole, Counting())
    path = next((tmp_path / FOLDER).rglob("*.json"))
    for text in (path.read_text().replace("-0.", "-1.", 1), "{", "[]", '{"answers": {}}'):
        path.write_text(text)
        with pytest.raises(RunError, match="answers to extra prompts are damaged") as error:
            asked(source, whole, Counting())
        assert "\n" not in str(error.value)


def test_another_model_or_other_data_is_refused(tmp_path: Path) -> None:
    source = run(tmp_path)
    assert len(planned_cells(source, evaluation(), source.cells)) == 5
    with pytest.raises(RunError, match="the model, data or wording is not the one of the run: t under c/w0"):
        planned_cells(source, evaluation(labelled_task(29)), source.cells)


def test_a_run_of_python_objects_cannot_be_resolved_from_its_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no group of wordings|was given as a Python object"):
        evaluation_of(run(tmp_path), SilentObserver())
