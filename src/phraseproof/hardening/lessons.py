"""The pairs of every candidate: with the labels, or with the answers of its teacher in their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from phraseproof.analysis.option_values import choices, load_option_values
from phraseproof.core import Task
from phraseproof.hardening.candidates import Candidate
from phraseproof.hardening.search_plan import MeasuredSet
from phraseproof.hardening.splits import first_examples
from phraseproof.hardening.training_pairs import TrainingPairs, make_pairs
from phraseproof.hardening.workplace import Workplace
from phraseproof.store.queries import Run
from phraseproof.teaching.teach import teach_pairs
from phraseproof.teaching.teacher import TeacherSettings, ask_teacher

TEACHING = "teaching"
"""The name of the sets that teachers answer: the training examples under the training wordings."""

_MAJORITY = TeacherSettings("majority")
_REFERENCE = TeacherSettings("reference")


class Lessons:
    """Makes the pairs that candidates are trained on.

    Args:
        place: asks the model where a teacher answers.
        ranking: the examples and wordings by which references are chosen, where labels are used.
        max_pairs: the maximum number of pairs per task.
        seed: of the draw of pairs.
    """

    def __init__(self, place: Workplace, ranking: MeasuredSet, *, max_pairs: int | None, seed: int) -> None:
        self._place, self._ranking = place, ranking
        self._limit, self._seed = max_pairs, seed
        self._scores: Mapping[tuple[str, str], float] | None = None
        self._made: dict[tuple[str, TeacherSettings | None, bool], TrainingPairs] = {}

    def pairs(self, on: MeasuredSet, candidate: Candidate) -> TrainingPairs:
        """The pairs of a candidate on a set of examples and wordings.

        Without labels, references are the wordings that agree most often with the teacher, or with the majority of the
        wordings where there is none.

        Raises:
            UsageError: no two of a task's wordings can be paired.
            NotEnoughDataError: a teacher for tasks without options.
        """
        key = on.identity, candidate.teacher, candidate.sees_labels
        if key not in self._made:
            self._made[key] = self._labelled(on) if candidate.sees_labels else self._taught(on, candidate.teacher)
        return self._made[key]

    def _labelled(self, on: MeasuredSet) -> TrainingPairs:
        if self._scores is None:
            self._place.observer.noted("choosing references among the training wordings, on training examples")
            rows = self._place.measure(self._ranking).wording_scores()
            self._scores = {(row.task, row.instruction): row.mean_score for row in rows}
        return make_pairs(on, self._scores, limit=self._limit, seed=self._seed)

    def _taught(self, on: MeasuredSet, teacher: TeacherSettings | None) -> TrainingPairs:
        asked = teaching_set(on, self._limit, self._seed)
        self._place.observer.noted("asking the model under all training wordings, to train without labels")
        run = self._place.measure(asked)
        made = make_pairs(asked, _agreement(run, teacher or _MAJORITY), limit=self._limit, seed=self._seed)
        # Without a teacher, the reference answers; the training would ask it again for what the run holds.
        taught = teach_pairs(made.pairs, run, teacher or _REFERENCE)
        taught.report(self._place.observer.noted, self._place.observer.warned)
        return made._replace(pairs=tuple(taught.pairs))


def teaching_set(on: MeasuredSet, max_pairs: int | None, seed: int) -> MeasuredSet:
    """The examples and wordings that a teacher answers: at most as many examples per task as pairs."""

    def few(task: Task) -> Task:
        return task if max_pairs is None else replace(task, examples=first_examples(task, max_pairs, seed))

    return MeasuredSet(TEACHING, tuple(map(few, on.tasks)), on.wordings, None, on.seed)


def _agreement(run: Run, teacher: TeacherSettings) -> dict[tuple[str, str], float]:
    """By task and wording, how often its choice is that of the teacher; of `reference`, that of the majority."""
    settings = teacher if teacher.teacher != "reference" else _MAJORITY
    found: dict[tuple[str, str], float] = {}
    for values in load_option_values(run):
        answers = ask_teacher(values, settings).answers
        is_answered = ~np.isneginf(answers).all(axis=1)
        same = choices(values.values, values.has_option) == answers.argmax(axis=1)
        for row, wording in enumerate(values.wordings):
            found[values.task, wording] = float(same[row, is_answered].mean()) if is_answered.any() else 0.0
    return found
