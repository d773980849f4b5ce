"""Whether answers are worth learning from: how often they are right where labels are known, and whether they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

SIGNIFICANCE = 0.05
NEARLY_ALWAYS = 0.9
"""The share of one answer above which a teacher is doubted."""

REFERENCE = "the reference wording"
"""What messages call it where it answers in place of labels."""

RIGHT = "is right on"
"""What messages say of an answer that earns credit."""

NOISE = "Training on such answers may teach noise"

_ROUNDING = 1e-9
_LISTED = 5
"""So many tasks without a warning have a line each."""


class GradedAnswer(NamedTuple):
    """The answer to a pair with a label.

    Attributes:
        example: what the pair was made from; pairs with an equal one are answers to the same question.
        credit: of the answer, from 0 to 1.
        chance: the credit of blind guessing.
    """

    example: Hashable
    credit: float
    chance: float


class TeacherQuality(NamedTuple):
    """How good a teacher's answers on a task are.

    Attributes:
        task: its name; empty if it is not known.
        examples: the number of pairs that it answered; those that keep a given label do not count.
        judged: the number of pairs with a label that its answers were compared with.
        accuracy: the mean credit of its answers on those; `None` where there are none.
        single: the mean credit of the single wordings on the same examples, without calibration; `None` where there are
            none, or it is not known.
        chance: the mean credit of blind guessing; `None` where there are none.
        commonest: its most frequent answer, and `share` the share of its answers that it is.
        warnings: what makes it doubtful, one sentence each.
        teacher: who answered, for messages.
        right: what is said of an answer that earns credit, for messages.
        advice: the last sentence of the warning that it is not shown to be better than chance.
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
    teacher: str = "the teacher"
    right: str = RIGHT
    advice: str = NOISE

    def sentence(self) -> str:
        """One line for people."""
        start = f"{self.task}: {self.teacher}" if self.task else self.teacher
        if self.accuracy is None or self.chance is None:
            return (
                f"{start} answered {self.examples} pairs, {self.commonest!r} to {self.share:.0%} of them; it was not "
                "compared with labels"
            )
        single = "" if self.single is None else f"single wordings on {self.single:.1%}, "
        of = f"{self.judged} labelled pairs"
        return f"{start} {self.right} {self.accuracy:.1%} of {of}, {single}chance {self.chance:.1%}"


def judge_answers(
    task: str,
    answers: Sequence[str],
    graded: Sequence[GradedAnswer],
    *,
    single: float | None = None,
    teacher: str = "the teacher",
    right: str = RIGHT,
    advice: str = NOISE,
) -> TeacherQuality:
    """Compare answers with the labels, if they are known, and with one answer for everything.

    A teacher is doubted if its accuracy is not above chance by a one-sided exact binomial test at 5%, in which an
    example counts once however many pairs it has, or if 90% of its answers are one class.

    Args:
        task: the name of the task; empty if it is not known.
        answers: the class of the answer to every pair.
        graded: the answers to pairs with a label.
        single: the mean credit of single wordings, for the sentence.
        teacher: who answered, for messages.
        right: what is said of an answer that earns credit, for messages.
        advice: the last sentence of the warning that they are not shown to be better than chance.
    """
    start = f"{task}: {teacher}" if task else teacher
    number = len(answers)
    commonest, count = Counter(answers).most_common(1)[0] if answers else ("", 0)
    share = count / max(1, number)
    accuracy = chance = None
    warnings: list[str] = []
    if graded:
        accuracy = float(np.mean([each.credit for each in graded]))
        chance = float(np.mean([each.chance for each in graded]))
        if _chance_of(graded, chance) > SIGNIFICANCE:
            warnings.append(
                f"{start} is not shown to be better than chance: {right.removeprefix('is ')} {accuracy:.1%} of "
                f"{len(graded)} labelled pairs, chance {chance:.1%}. {advice}"
            )
    if number > 1 and share >= NEARLY_ALWAYS:
        warnings.append(
            f"{start} answers {commonest!r} to {share:.0%} of {number} pairs. Either that is the right answer to most "
            "of them, or it prefers that answer whatever the question"
        )
    return TeacherQuality(
        task, number, len(graded), accuracy, single if graded else None, chance, commonest, share, tuple(warnings),
        teacher, right, advice,
    )  # fmt: skip


def report_qualities(
    qualities: Iterable[TeacherQuality], say: Callable[[str], None], warn: Callable[[str], None]
) -> None:
    """Say one line per task, and what is doubtful as warnings: what to do about it is said once, not for every task.

    Many tasks without a warning share a line.
    """
    found = list(qualities)
    sound = [(each, each.accuracy) for each in found if each.accuracy is not None and not each.warnings]
    is_shared = len(sound) > _LISTED and len({(each.teacher, each.right) for each, _ in sound}) == 1
    if is_shared:
        first, values = sound[0][0], [accuracy for _, accuracy in sound]
        of = "of the labelled pairs of each, above chance"
        say(f"{len(sound)} tasks: {first.teacher} {first.right} {min(values):.1%} to {max(values):.1%} {of}")
    advised: set[str] = set()
    for quality in found:
        if not is_shared or quality.warnings or quality.accuracy is None:
            say(quality.sentence())
        for warning in quality.warnings:
            if warning.endswith(quality.advice):
                warn(warning.removesuffix(f". {quality.advice}") if quality.advice in advised else warning)
                advised.add(quality.advice)
            else:
                warn(warning)


def _chance_of(graded: Sequence[GradedAnswer], chance: float) -> float:
    """The probability that blind guessing earns as much, each example counted once."""
    from scipy.stats import binom

    of_example: dict[Hashable, list[float]] = {}
    for each in graded:
        of_example.setdefault(each.example, []).append(each.credit)
    right = np.floor(sum(float(np.mean(each)) for each in of_example.values()) + _ROUNDING)
    return float(binom.sf(right - 1, len(of_example), chance))
