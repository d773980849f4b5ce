"""Whether a teacher is worth learning from, by what it answers to the examples of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.alignment.teacher_quality import GradedAnswer, TeacherQuality, judge_answers
from phraseproof.analysis.grids import Ints
from phraseproof.analysis.option_values import scores
from phraseproof.teaching.teacher import TaskTeacher


class Answers(NamedTuple):
    """What a teacher answered to pairs.

    Attributes:
        places: [N] each pair's example, an index into the teacher's examples.
        chosen: [N] the option that it chose.
    """

    places: Ints
    chosen: Ints

    @classmethod
    def of(cls, found: Sequence[tuple[int, int]]) -> Answers:
        """From (place, option) of each pair."""
        columns = np.array(found, dtype=np.intp).reshape(-1, 2)
        return cls(columns[:, 0], columns[:, 1])


def judge_teacher(
    teacher: TaskTeacher, answers: Answers, judged: Answers, *, name: str = "the teacher"
) -> TeacherQuality:
    """Compare a teacher with the labels, if they are known, and with one answer for everything (`judge_answers`).

    Args:
        teacher: who answered.
        answers: what it answered.
        judged: its answers to examples with a label.
        name: who answered, for messages.
    """
    values = teacher.values
    names = values.class_names[0]
    classes = [names[int(each)] for each in values.classes[0][answers.places, answers.chosen]]
    chances = values.chances
    graded = [
        GradedAnswer(int(place), float(values.credits[place, option]), float(chances[place]))
        for place, option in zip(judged.places, judged.chosen, strict=True)
    ]
    single = None
    if graded:
        part = values.take_examples(judged.places)
        single = float(scores(part.values, part).mean())
    return judge_answers(values.task, classes, graded, single=single, teacher=name)
