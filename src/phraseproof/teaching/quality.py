"""Whether a teacher is worth learning from: its accuracy where labels are known, and whether it says one thing only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import scores
from phraseproof.teaching.teacher import TaskTeacher

SIGNIFICANCE = 0.05
NEARLY_ALWAYS = 0.9
"""The share of one answer above which a teacher without labels is doubted."""

_ROUNDING = 1e-9


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


class TeacherQuality(NamedTuple):
    """How good a teacher's answers on a task are.

    Attributes:
        task: its name.
        examples: the number of pairs that it answered; those that keep a given label do not count.
        judged: the number of pairs with a label that its answers were compared with.
        accuracy: the mean credit of its answers on those; `None` where there are none.
        single: the mean credit of the single wordings on the same examples, without calibration; `None` as before.
        chance: the mean credit of blind guessing; `None` as before.
        commonest: its most frequent answer, and `share` the share of its answers that it is.
        warnings: what makes it doubtful, one sentence each.
    """

    task: str
    examples: int
    judged: int
    accuracy: float | None
    single: float | None
    chance: float | None
    commonest: str
    share: float
    warnings: tuple[str, ...]

    def sentence(self) -> str:
        """One line for people."""
        if self.accuracy is None or self.single is None or self.chance is None:
            return (
                f"{self.task}: the teacher answered {self.examples} pairs, {self.commonest!r} to {self.share:.0%} of "
                "them; it was not compared with labels"
            )
        return (
            f"{self.task}: the teacher is right on {self.accuracy:.1%} of {self.judged} labelled pairs, single "
            f"wordings on {self.single:.1%}, chance {self.chance:.1%}"
        )


def judge_teacher(teacher: TaskTeacher, answers: Answers, judged: Answers) -> TeacherQuality:
    """Compare a teacher with the labels, if they are known, and with one answer for everything.

    A teacher is doubted if its accuracy is not above chance by a one-sided exact binomial test at 5%, in which an
    example counts once however many pairs it has, or if 90% of its answers are one class.

    Args:
        teacher: who answered.
        answers: what it answered.
        judged: its answers to examples with a label.
    """
    values, number = teacher.values, len(answers.places)
    class_of = values.classes[0][answers.places, answers.chosen]
    names = Counter(values.class_names[0][int(each)] for each in class_of)
    commonest, count = names.most_common(1)[0] if names else ("", 0)
    share = count / max(1, number)
    accuracy = single = chance = None
    warnings: list[str] = []
    compared = len(judged.places)
    if compared:
        earned = values.credits[judged.places, judged.chosen]
        accuracy = float(earned.mean())
        part = values.take_examples(judged.places)
        single, chance = float(scores(part.values, part).mean()), part.chance
        if _chance_of(earned, judged.places, chance) > SIGNIFICANCE:
            warnings.append(
                f"{values.task}: the teacher is not shown to be better than chance: right on {accuracy:.1%} of "
                f"{compared} labelled pairs, chance {chance:.1%}. Training on such answers may teach noise"
            )
    if number > 1 and share >= NEARLY_ALWAYS:
        warnings.append(
            f"{values.task}: the teacher answers {commonest!r} to {share:.0%} of {number} pairs. Either that is the "
            "right answer to most of them, or it prefers that answer whatever the question"
        )
    return TeacherQuality(values.task, number, compared, accuracy, single, chance, commonest, share, tuple(warnings))


def _chance_of(earned: Floats, places: Ints, chance: float) -> float:
    """The probability that blind guessing earns as much, each example counted once."""
    from scipy.stats import binom

    _, example = np.unique(places, return_inverse=True)
    by_example = np.bincount(example, weights=earned) / np.bincount(example)
    right = np.floor(by_example.sum() + _ROUNDING)
    return float(binom.sf(right - 1, len(by_example), chance))
