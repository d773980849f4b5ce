"""What a teacher answers: from what a model gave every option under every wording to one distribution per example.

A teacher needs no labels, except `best`, which is chosen on a few labelled examples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from phraseproof.analysis.calibrated import fitted_on
from phraseproof.analysis.ensembles import best_first, choose_members, combine, read_logprobs
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.calibration.methods import METHODS, Needs
from phraseproof.errors import UsageError

TeacherName: TypeAlias = Literal["reference", "best", "majority", "ensemble"]
TeacherAs: TypeAlias = Literal["answers", "distribution"]

NO_CALIBRATION: Final = "none"
CALIBRATIONS: Final = (
    NO_CALIBRATION,
    *(m.name for m in METHODS.values() if m.needs is Needs.NOTHING and m.fit is not None),
)
DEFAULT_LABELLED_FOR_BEST: Final = 20


@dataclass(frozen=True, slots=True)
class TeacherSettings:
    """Who answers in place of given labels, and how the answers are used.

    Attributes:
        teacher: `reference`: each pair's reference wording. `best`: the wording with the highest accuracy on the
            labelled examples. `majority`: the option that most wordings choose. `ensemble`: the mean probability over
            the wordings.
        teacher_as: `answers` writes the teacher's most probable option as the target; `distribution` also writes the
            probability of every option.
        calibration: `none`, `batch` or `prior-matching`, fitted on the taught examples without labels; by default
            `batch` for `ensemble`, else `none`.
        labelled: the number of examples per task that keep their given label; by default 0, and 20 for `best`.
        has_labels: whether the task's answers are labels, so that the teacher can be compared with them. Otherwise
            those of examples that do not keep their label are placeholders, and nothing reads them.
        seed: of the draw of labelled examples.
    """

    teacher: TeacherName = "ensemble"
    teacher_as: TeacherAs = "answers"
    calibration: str | None = None
    labelled: int | None = None
    has_labels: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for option, value, known in (
            ("--teacher", self.teacher, get_args(TeacherName)),
            ("--teacher-as", self.teacher_as, get_args(TeacherAs)),
            ("--teacher-calibration", self.method, CALIBRATIONS),
        ):
            if value not in known:
                raise UsageError("no such choice", expected=f"one of: {', '.join(known)}", got=value, where=option)
        if self.count < (1 if self.teacher == "best" else 0):
            raise UsageError(
                "too few labelled examples",
                expected="1 or more, to choose the best wording on" if self.teacher == "best" else "0 or more",
                got=str(self.count),
                where="--labelled",
            )

    @property
    def method(self) -> str:
        """The calibration, with its default resolved."""
        return self.calibration or ("batch" if self.teacher == "ensemble" else NO_CALIBRATION)

    @property
    def count(self) -> int:
        """The number of labelled examples per task, with its default resolved."""
        if self.labelled is not None:
            return self.labelled
        return DEFAULT_LABELLED_FOR_BEST if self.teacher == "best" else 0


class TaskTeacher(NamedTuple):
    """What the teacher answers to the examples of one task.

    Attributes:
        values: what it was made from.
        logprobs: [R, E, C] the values with the settings' calibration; minus infinity where a wording was not read.
        answers: [E, C] the teacher's log-probabilities, minus infinity for all options where no wording was read.
            Of `reference`, whose answers differ between pairs, those of all rows: [R, E, C].
        members: the rows that went into them.
        labelled: [L] the examples that keep their given label.
    """

    values: OptionValues
    logprobs: Floats
    answers: Floats
    members: tuple[int, ...]
    labelled: Ints

    def for_pairs_of(self, reference: str | None) -> tuple[Floats, tuple[str, ...]]:
        """[E, C] the answers for pairs with that reference wording, and the names of the wordings they came from.

        Args:
            reference: the name of the wording; `None` where answers do not depend on it.

        Raises:
            UsageError: the run has no answers under that wording.
        """
        if reference is None:
            return self.answers, tuple(dict.fromkeys(self.values.wordings[row] for row in self.members))
        rows = [row for row, name in enumerate(self.values.wordings) if name == reference]
        if not rows:
            raise UsageError(
                f"the run has no answers under the reference wording {reference!r}",
                expected=f"one of: {', '.join(dict.fromkeys(self.values.wordings))}",
            )
        return combine(self.answers[rows]), (reference,)

    def best_by_others(self) -> dict[int, int]:
        """Of each labelled example, the option under the wording that is best on the other labelled examples.

        What `best` answers to the examples that it was chosen on is right more often than what it answers to others.
        """
        given = self.logprobs[:, self.labelled]
        earned = scores(given, self.values.take_examples(self.labelled))
        rows = best_first((earned.sum(axis=1, keepdims=True) - earned).T)[:, 0]
        return {
            int(place): int(given[row, number].argmax())
            for number, (place, row) in enumerate(zip(self.labelled, rows, strict=True))
        }


def ask_teacher(values: OptionValues, settings: TeacherSettings) -> TaskTeacher:
    """Make the answers of a teacher from what a model gave every option.

    The ensemble is the log of the mean over wordings of the options' probabilities. With `batch` calibration, the
    probabilities of wording w are first divided by their mean over the examples and scaled to add up to 1 again:
    p_w(c | x) / mean_x' p_w(c | x') (arXiv 2309.17249). No label is used.

    Args:
        values: one task, with all wordings and all examples that are taught.
        settings: who answers.

    Raises:
        UsageError: `best` with more labelled examples than there are examples.
        NotEnoughDataError: too few examples for a calibration.
    """
    labelled = labelled_places(values.task, values.examples, settings.count, settings.seed)
    logprobs = read_logprobs(values)
    if settings.method != NO_CALIBRATION:
        logprobs = fitted_on(values, values, settings.method)
    everyone = tuple(range(len(values.wordings)))
    match settings.teacher:
        case "reference":
            return TaskTeacher(values, logprobs, logprobs, everyone, labelled)
        case "best":
            few = values.take_examples(labelled)
            (row,) = choose_members(few, 1, by="best", logprobs=logprobs[:, labelled])
            return TaskTeacher(values, logprobs, logprobs[int(row)], (int(row),), labelled)
        case "majority":
            return TaskTeacher(values, logprobs, combine(logprobs, "majority"), everyone, labelled)
        case "ensemble":
            return TaskTeacher(values, logprobs, combine(logprobs), everyone, labelled)


def labelled_places(task: str, examples: Sequence[str], count: int, seed: int) -> Ints:
    """[count] the places of the examples that keep their label, ascending.

    They are drawn by a hash of seed, task and id: the same on every machine, and a smaller draw is a part of a larger.

    Raises:
        UsageError: there are fewer examples.
    """
    if count > len(examples):
        raise UsageError(
            f"{task}: there are fewer examples than labelled ones are asked for",
            expected=f"at most {len(examples)}",
            got=str(count),
            where="--labelled",
        )

    def rank(place: int) -> bytes:
        return hashlib.blake2b(f"labelled\0{seed}\0{task}\0{examples[place]}".encode(), digest_size=16).digest()

    return np.array(sorted(sorted(range(len(examples)), key=rank)[:count]), dtype=np.intp)
