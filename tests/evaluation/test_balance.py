"""The balance of samples is reported, and missing classes are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from phraseproof.core import Example, Instruction, Kind, Task
from phraseproof.evaluation.balance import report_balance
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.evaluation.plan import sample_task
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models.scripted import ScriptedModel


class Listening(SilentObserver):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def warned(self, message: str) -> None:
        self.warnings.append(message)


def labelled() -> Task:
    """38 common examples and two rare ones."""
    examples = tuple(
        Example(str(n), {"item": str(n)}, ("common", "rare"), (0.0, 1.0) if n < 2 else (1.0, 0.0)) for n in range(40)
    )
    return Task("labelled", Kind.MULTI_CLASS, "c", examples)


def test_each_class_is_counted() -> None:
    observer = Listening()
    sample = sample_task(labelled(), 20, 0, is_stratified=True)
    report_balance([sample], [labelled()], observer, is_stratified=True)
    assert observer.notes == ["labelled: 20 of 40 examples (common 19, rare 1)"]
    assert observer.warnings == []


def test_many_tasks_are_one_line() -> None:
    observer = Listening()
    tasks = [replace(labelled(), name=f"task {n}") for n in range(9)]
    samples = [sample_task(task, 20, 0, is_stratified=True) for task in tasks]
    report_balance(samples, tasks, observer, is_stratified=True)
    assert observer.notes == ["the samples of 9 tasks hold their classes in proportion"]


def test_samples_at_random_are_not_said_to_be_in_proportion() -> None:
    observer = Listening()
    tasks = [replace(labelled(), name=f"task {n}") for n in range(9)]
    report_balance([sample_task(task, 20, 0) for task in tasks], tasks, observer, is_stratified=False)
    assert observer.notes == ["the samples of 9 tasks are drawn at random, whatever their classes"]


@pytest.mark.parametrize(
    ("sample", "drawn"),
    [("auto", "hold their classes in proportion"), ("random", "are drawn at random, whatever their classes")],
)
def test_an_evaluation_says_how_its_samples_were_drawn(
    tmp_path: Path, sample: Literal["auto", "random"], drawn: str
) -> None:
    observer = Listening()
    tasks = [replace(labelled(), name=f"task {n}") for n in range(6)]
    asked = Instruction(id="w", collection="c", template="{{ item }}?", answer="{{ choice }}")
    groups = {"g": {task.name: [asked] for task in tasks}}
    spec = EvaluationSpec(limit=20, sample=sample)
    prepare(ScriptedModel(), tasks, groups, spec).run(tmp_path, observer=observer, self_test=False)
    assert f"the samples of 6 tasks {drawn}" in observer.notes


def test_a_class_that_chance_left_out_is_named_with_the_way_to_draw_it() -> None:
    observer = Listening()
    seed = next(n for n in range(50) if all(int(each.id) > 1 for each in sample_task(labelled(), 20, n).examples))
    report_balance([sample_task(labelled(), 20, seed)], [labelled()], observer, is_stratified=False)
    assert observer.warnings == ["labelled: the sample holds no example of 'rare'; --sample stratified draws by class"]


def test_missing_classes_are_named() -> None:
    observer = Listening()
    report_balance([sample_task(labelled(), 4, 0, is_stratified=True)], [labelled()], observer, is_stratified=True)
    assert observer.warnings == ["labelled: the sample holds no example of 'rare'; a larger --limit would"]


def test_a_sample_smaller_than_the_number_of_classes_is_no_surprise() -> None:
    observer = Listening()
    report_balance([sample_task(labelled(), 1, 0, is_stratified=True)], [labelled()], observer, is_stratified=True)
    assert observer.notes == ["labelled: 1 of 40 examples (1 of 2 classes: common 1)"]
    assert observer.warnings == []


def test_whole_tasks_and_tasks_without_classes_are_not_mentioned() -> None:
    observer = Listening()
    quiz = replace(
        labelled(), examples=tuple(replace(each, choices=(each.id, f"not {each.id}")) for each in labelled().examples)
    )
    report_balance([labelled(), sample_task(quiz, 4, 0)], [labelled(), quiz], observer, is_stratified=True)
    assert observer.notes == observer.warnings == []
