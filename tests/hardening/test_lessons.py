"""Pairs with labels, and pairs with a teacher's answers, of which no label is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phraseproof.alignment.loop.preparation import prepare
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.analysis.option_values import load_option_values
from phraseproof.core import Prompt, Task
from phraseproof.evaluation.observer import SilentObserver
from phraseproof.hardening.candidates import Candidate
from phraseproof.hardening.lessons import Lessons, teaching_set
from phraseproof.hardening.search import ranking_set
from phraseproof.hardening.search_plan import MeasuredSet, SearchInput, plan_search
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.hardening.workplace import Workplace
from phraseproof.instructions.collections import Collection
from phraseproof.models import ModelOptions
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.store.queries import load_run
from phraseproof.teaching.teacher import TeacherSettings
from support.harden_data import make_task, make_wordings
from support.tiny_models import tiny_llama

WORDINGS = make_wordings(4)
SETTINGS = AlignmentSettings(method="pt", learning_rate=1e-3)


def _set(task: Task) -> MeasuredSet:
    return MeasuredSet("training", (task,), {task.name: WORDINGS}, None, 0)


@pytest.fixture
def lessons(tmp_path: Path) -> Callable[..., Lessons]:
    place = Workplace(str(tiny_llama()), ModelOptions(), tmp_path, prompt_format="plain", observers=(None, None))

    def make(max_pairs: int | None = None) -> Lessons:
        return Lessons(place, _set(make_task())._replace(name="reference"), max_pairs=max_pairs, seed=0)

    return make


@pytest.mark.slow
def test_with_labels_the_best_wording_is_the_reference(lessons: Callable[..., Lessons], tmp_path: Path) -> None:
    found = lessons().pairs(_set(make_task()), Candidate("pt", 1e-3, SETTINGS))
    (run,) = (tmp_path / "base").iterdir()
    best = max(load_run(run).wording_scores(), key=lambda row: row.mean_score)
    assert found.references == {"parity": (best.instruction,)}
    assert [pair.target for pair in found.pairs] == ["no" if n % 2 == 0 else "yes" for n in range(12)]


class _Listener(SilentObserver):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []

    def noted(self, message: str) -> None:
        self.notes.append(message)

    def warned(self, message: str) -> None:
        self.warnings.append(message)


def test_without_labels_a_reference_that_is_no_better_than_chance_is_warned_of(tmp_path: Path) -> None:
    listener = _Listener()
    place = Workplace(str(tiny_llama()), ModelOptions(), tmp_path, prompt_format="plain", observers=(listener, None))
    settings = replace(SETTINGS, method="pt+kl", labels="none")
    Lessons(place, _set(make_task()), max_pairs=None, seed=0).pairs(
        _set(make_task()), Candidate("pt+kl:labels=none", 1e-3, settings)
    )
    (note,) = [note for note in listener.notes if note.startswith("parity: the reference wording is right on")]
    assert note.endswith("chance 50.0%")
    # A random model answers questions whose right answers alternate.
    assert any("the reference wording is not shown to be better than chance" in each for each in listener.warnings)


@pytest.mark.slow
def test_a_teacher_sees_no_label(lessons: Callable[..., Lessons], tmp_path: Path) -> None:
    def pairs_of(task: Task) -> Any:
        found = lessons().pairs(_set(task), Candidate("pt@ensemble", 1e-3, SETTINGS, TeacherSettings("ensemble")))
        return found.references, found.pairs

    task = make_task()
    turned = replace(
        task, examples=tuple(replace(each, option_scores=each.option_scores[::-1]) for each in task.examples)
    )
    references, pairs = pairs_of(task)
    (run,) = (tmp_path / "base").iterdir()
    (values,) = load_option_values(load_run(run))
    shares = np.exp(values.logprobs)
    calibrated = shares / shares.mean(axis=1, keepdims=True)
    calibrated /= calibrated.sum(axis=2, keepdims=True)
    chosen = dict(zip(values.examples, calibrated.mean(axis=0).argmax(axis=1), strict=True))
    assert [pair.target for pair in pairs] == [("yes", "no")[chosen[pair.example]] for pair in pairs]
    assert {pair.teacher.name for pair in pairs} == {"ensemble"}
    again = pairs_of(turned)
    assert again[0] == references
    assert [pair.identity() for pair in again[1]] == [pair.identity() for pair in pairs]


@pytest.mark.slow
def test_the_model_is_asked_once_about_every_example_and_wording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a search with labels, with a teacher and without labels, up to the refit."""
    settings = SearchSettings(("pt",), max_pairs=9)
    given = SearchInput([make_task(size=40)], [Collection("mine", make_wordings(9))])
    plan = plan_search(given, settings)
    asked: Counter[str] = Counter()
    for name in ("score_options", "stream_scores"):
        score = getattr(HuggingFaceModel, name)

        def count(self: HuggingFaceModel, prompts: Sequence[Prompt], *, score: Any = score, **options: Any) -> Any:
            asked.update(prompt.text for prompt in prompts)
            return score(self, prompts, **options)

        monkeypatch.setattr(HuggingFaceModel, name, count)
    monkeypatch.setattr("phraseproof.evaluation.run.check_model", lambda *_: [])  # asks a few prompts again

    def place(folder: str) -> Workplace:
        out = tmp_path / folder
        return Workplace(str(tiny_llama()), ModelOptions(), out, prompt_format="plain", observers=(None, None))

    candidates = [
        Candidate("pt", 1e-3, SETTINGS),
        Candidate("pt@ensemble", 1e-3, SETTINGS, TeacherSettings("ensemble")),
        Candidate("pt+kl:labels=none", 1e-3, replace(SETTINGS, method="pt+kl", labels="none")),
    ]
    together = place("together")
    together.measure(plan.validation)
    ranking = ranking_set(plan, settings)
    lessons = Lessons(together, ranking, max_pairs=settings.max_pairs, seed=0)
    found = [lessons.pairs(on, each) for on in (plan.training, plan.refitting) for each in candidates]
    prepare(str(tiny_llama()), found[-1].pairs, candidates[-1].settings, ModelOptions())  # asks for no targets again

    sets = [plan.validation, ranking, *(teaching_set(on, 9, 0) for on in (plan.training, plan.refitting))]
    cells = {
        (example.id, wording.name)
        for of in sets
        for example in of.tasks[0].examples
        for wording in of.wordings["parity"]
    }
    assert set(asked.values()) == {1}
    assert len(asked) == len(cells) < sum(len(of.tasks[0].examples) * len(of.wordings["parity"]) for of in sets)

    # The pairs are those of runs that share nothing.
    for candidate, shared in zip(candidates[1:], found[-2:], strict=True):
        alone = Lessons(place(candidate.name), ranking, max_pairs=settings.max_pairs, seed=0)
        made = alone.pairs(plan.refitting, candidate)
        assert made.references == shared.references
        assert [pair.identity() for pair in made.pairs] == [pair.identity() for pair in shared.pairs]


def test_a_teacher_is_asked_about_as_many_examples_as_there_are_pairs() -> None:
    few = teaching_set(_set(make_task()), 5, 0)
    more = teaching_set(_set(make_task()), 8, 0)
    ids = [{example.id for example in each.tasks[0].examples} for each in (few, more)]
    assert (len(ids[0]), len(ids[1])) == (5, 8)
    assert ids[0] < ids[1]
    assert teaching_set(_set(make_task()), None, 0).tasks == (make_task(),)
