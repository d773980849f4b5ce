"""Ways to reduce the spread over wordings without training, each judged on examples that it was not fitted on.

Two questions are answered, because they have different answers:

* **These wordings, other examples.** The user has these wordings and answers new examples. Every way is fitted on four
  fifths of the examples and scored on the last fifth, so that every example is scored once. The interval is over
  examples.
* **Other wordings of the same kind, other examples.** The wordings are split into random halves, many times, and a half
  is what a user may have at hand. The interval is over examples and wordings: the variance of the gain between random
  halves estimates the variance over wordings of the gain with all of them (a delete-half jackknife).

Intervals hold for all ways of one task at once (Bonferroni), so the best of them may be picked.

Models that were trained answer the same cells, and are judged as further ways: each by itself, and calibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.aggregation import OVERALL, paper_weights
from phraseproof.analysis.calibrated import fold_of_examples
from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import OptionValues
from phraseproof.analysis.reductions.gains import CONFIDENCE, NOTHING, Gain, Variance, gain_of, weighted_gain
from phraseproof.analysis.reductions.way_answers import DividedAnswers, WayAnswers
from phraseproof.analysis.reductions.ways import AS_IT_IS, FOLDS, WAYS, Access, AnswerWay, Part, trained_ways
from phraseproof.errors import NotEnoughDataError

SPLITS = 20
MIN_WORDINGS = 4
MIN_EXAMPLES = 20


class TrainedAnswers(NamedTuple):
    """What a trained model gave the options of a task.

    Attributes:
        name: of the model, as tables show it.
        values: one for every training seed, with the wordings and examples of the untrained model's.
    """

    name: str
    values: tuple[OptionValues, ...]


@dataclass(frozen=True, slots=True)
class JudgedWay:
    """One way on one task. Accuracies and gains are shares from 0 to 1.

    Attributes:
        accuracy: with all of the task's wordings, on examples that the way was not fitted on.
        accuracy_elsewhere: the same for other wordings of the same kind, with an interval over examples and wordings.
        gain: the accuracy less the mean accuracy of the wordings as they are; over examples.
        gain_elsewhere: the same for other wordings of the same kind; over examples and wordings.
        above_constant: the accuracy less that of the best constant answer; over examples.
        spread: the Std of the accuracy over single wordings, where every wording answers by itself; over the answers of
            random halves of the wordings, where they answer together. With several training seeds, their mean.
        worst: the lowest of these accuracies; with several training seeds, the mean of their lowest.
        calls: model calls per answer, with all of the task's wordings.
    """

    way: AnswerWay
    accuracy: float
    accuracy_elsewhere: Gain
    gain: Gain
    gain_elsewhere: Gain
    above_constant: Gain
    spread: float
    worst: float
    calls: int


@dataclass(frozen=True, slots=True)
class JudgedTask:
    """All ways on one task.

    Attributes:
        wordings, examples: how many.
        wording_names: the names of the wordings; of the mean over tasks, all of them.
        chance: the mean score of blind guessing.
        majority: the mean score of the best constant answer.
        majority_class: that answer, a text or a letter; empty for the mean over tasks.
        ways: the wordings as they are, then the others in the order of `WAYS`, then trained models.
        level: of the intervals.
    """

    task: str
    category: str
    num_fewshot: int
    wordings: int
    wording_names: frozenset[str]
    examples: int
    chance: float
    majority: float
    majority_class: str
    ways: tuple[JudgedWay, ...]
    level: float


def judge(
    values: OptionValues,
    *,
    access: Access = Access.LOGPROBS,
    calibration: str = "prior-matching",
    seed: int = 0,
) -> JudgedTask:
    """Judge all ways that the access allows, on one task.

    Args:
        values: of the task; its rows are wordings, and several demonstration seeds of one are several rows.
        access: what the user has of an answer.
        calibration: the method of `analysis.calibrated`.
        seed: of the folds and halves.

    Raises:
        NotEnoughDataError: fewer than four wordings or twenty examples.
    """
    found = Judgement(values, access=access, calibration=calibration, seed=seed)
    return found.compared(level=simultaneous_level(len(found.ways)))


class Judgement:
    """The answers of all ways on one task.

    Attributes:
        values: what was judged.

    Args:
        values, access, calibration, seed: as of `judge`.
        trained: models that were trained, judged as further ways.

    Raises:
        NotEnoughDataError: as `judge`.
        ValueError: a trained model has other wordings or examples.
    """

    def __init__(
        self,
        values: OptionValues,
        *,
        access: Access = Access.LOGPROBS,
        calibration: str = "prior-matching",
        seed: int = 0,
        trained: Sequence[TrainedAnswers] = (),
    ) -> None:
        names = list(dict.fromkeys(zip(values.groups, values.wordings, strict=True)))
        if len(names) < MIN_WORDINGS or len(values.examples) < MIN_EXAMPLES:
            raise NotEnoughDataError(
                f"too little data on task {values.task!r} to fit on some and judge on others",
                expected=f"at least {MIN_WORDINGS} wordings and {MIN_EXAMPLES} examples",
                got=f"{len(names)} and {len(values.examples)}",
            )
        random = np.random.default_rng(seed)
        folds = fold_of_examples(values.task, values.examples, FOLDS, seed)
        ways = [way for way in WAYS if access is Access.LOGPROBS or way.access is Access.TEXT]
        is_calibrated = any(way.access is Access.LOGPROBS for way in ways)
        number = np.array([names.index(name) for name in zip(values.groups, values.wordings, strict=True)])
        halves = [half for _ in range(SPLITS) for half in np.array_split(random.permutation(len(names)), 2)]
        rows = [np.flatnonzero(np.isin(number, half)) for half in halves]

        def parts(of: Sequence[OptionValues]) -> list[DividedAnswers]:
            fitted = [Part.fitted(each, calibration if is_calibrated else "", folds) for each in of]
            return [DividedAnswers(part, [part.take(half) for half in rows]) for part in fitted]

        own = parts([values])
        self.values = values
        self._wordings = len(names)
        self._answers = [WayAnswers(way, own, number) for way in ways]
        for model in trained:
            for each in model.values:
                _require_same_cells(values, each)
            of_model = parts(model.values)
            self._answers += [WayAnswers(way, of_model, number) for way in trained_ways(model.name, access)]

    @property
    def ways(self) -> tuple[AnswerWay, ...]:
        """All ways, in the order of `JudgedTask.ways`."""
        return tuple(each.way for each in self._answers)

    def scores(self, name: str) -> Floats | None:
        """[S, W, E] the scores of a way by training seed and wording; `None` where wordings answer together."""
        (found,) = (each for each in self._answers if each.way.name == name)
        return found.of_wordings

    def compared(self, over: str = AS_IT_IS, *, level: float = CONFIDENCE) -> JudgedTask:
        """All ways, with gains over one of them.

        Args:
            over: the name of the way that gains are over.
            level: of the intervals, from 0 to 1.
        """
        (base,) = (each for each in self._answers if each.way.name == over)
        of = self.values
        constant, name = _constant(of)
        return JudgedTask(
            of.task,
            of.category,
            of.num_fewshot,
            self._wordings,
            frozenset(of.wordings),
            len(of.examples),
            of.chance,
            float(constant.mean()),
            name,
            tuple(_judged(each, base, constant, level, self._wordings) for each in self._answers),
            level,
        )


def _require_same_cells(values: OptionValues, other: OptionValues) -> None:
    for what in ("task", "wordings", "groups", "seeds", "examples"):
        if getattr(values, what) != getattr(other, what):
            raise ValueError(f"a trained model was measured on other cells: {what} differ")


def _judged(answers: WayAnswers, base: WayAnswers, constant: Floats, level: float, wordings: int) -> JudgedWay:
    examples = answers.of_all.shape[1]
    # The folds' choices share examples, so what they score varies more than their examples do (Nadeau and Bengio 2003).
    widening = 1 + FOLDS / (FOLDS - 1) if answers.way.needs_labels else 1.0

    def over_examples(gains: Floats) -> Variance:
        return Variance(widening * float(np.var(gains, ddof=1)) / examples, examples - 1)

    def here(gains: Floats) -> Gain:
        return gain_of(gains.mean(axis=1).tolist(), over_examples(gains.mean(axis=0)), NOTHING, level)

    def elsewhere(gains: Floats, of_all: Floats, *, least: float = -1.0) -> Gain:
        of_halves = Variance(float(np.var(gains.mean(axis=(1, 2)))), wordings - 1)
        # A mean over wordings is the same for their halves; answers of several wordings depend on their number.
        of_seeds = (
            (of_all if answers.of_wordings is not None and base.of_wordings is not None else gains.mean(axis=0))
            .mean(axis=-1)
            .tolist()
        )
        return gain_of(of_seeds, over_examples(gains.mean(axis=(0, 1))), of_halves, level, least=least)

    return JudgedWay(
        answers.way,
        float(answers.of_all.mean()),
        elsewhere(answers.of_halves, answers.of_all, least=0.0),
        here(answers.of_all - base.of_all),
        elsewhere(answers.of_halves - base.of_halves, answers.of_all - base.of_all),
        here(answers.of_all - constant),
        float(np.mean(np.std(answers.levels, axis=1, ddof=1))),
        float(np.mean(answers.levels.min(axis=1))),
        wordings if answers.way.calls is None else min(answers.way.calls, wordings),
    )


def overall(tasks: Sequence[JudgedTask]) -> JudgedTask:
    """The mean over tasks, weighted as in the paper: equally within a category, categories equally."""
    weights = paper_weights([task.category for task in tasks])
    level = tasks[0].level

    def mean(value: Callable[[JudgedWay], float], place: int) -> float:
        return sum(weight * value(task.ways[place]) for weight, task in zip(weights, tasks, strict=True))

    def gain(of: Callable[[JudgedWay], Gain], place: int, *, least: float = -1.0) -> Gain:
        found = [of(task.ways[place]) for task in tasks]
        return weighted_gain(found, weights, level, wordings=[task.wording_names for task in tasks], least=least)

    ways = tuple(
        JudgedWay(
            way.way,
            mean(lambda each: each.accuracy, place),
            gain(lambda each: each.accuracy_elsewhere, place, least=0.0),
            gain(lambda each: each.gain, place),
            gain(lambda each: each.gain_elsewhere, place),
            gain(lambda each: each.above_constant, place),
            mean(lambda each: each.spread, place),
            mean(lambda each: each.worst, place),
            max(task.ways[place].calls for task in tasks),
        )
        for place, way in enumerate(tasks[0].ways)
    )
    return JudgedTask(
        OVERALL,
        "",
        tasks[0].num_fewshot,
        max(task.wordings for task in tasks),
        frozenset[str]().union(*(task.wording_names for task in tasks)),
        sum(task.examples for task in tasks),
        sum(weight * task.chance for weight, task in zip(weights, tasks, strict=True)),
        sum(weight * task.majority for weight, task in zip(weights, tasks, strict=True)),
        "",
        ways,
        level,
    )


def simultaneous_level(ways: int) -> float:
    """The level at which the intervals of this number of ways, the first of which gains nothing, all hold with 95%."""
    return 1 - (1 - CONFIDENCE) / max(1, ways - 1)


def _constant(values: OptionValues) -> tuple[Floats, str]:
    """[E] the scores of the best constant answer, and its name.

    Wordings that score letters and wordings that score texts have different constant answers, and the best of all
    counts.
    """
    found: list[tuple[float, Floats, str]] = []
    for names in dict.fromkeys(values.class_names):
        classes = values.classes[values.class_names.index(names)]
        for number, name in enumerate(names):
            credit = np.where(classes == number, values.credits, 0.0).sum(axis=1)
            found.append((float(credit.mean()), credit, name))
    _, credit, name = max(found, key=lambda each: each[0])
    return credit, name
