"""Ways to reduce the spread over wordings without training, each judged on examples that it was not fitted on.

Two questions are answered, because they have different answers:

* **These wordings, other examples.** The user has these wordings and answers new examples. Every way is fitted on four
  fifths of the examples and scored on the last fifth, so that every example is scored once. The interval is over
  examples.
* **Other wordings of the same kind, other examples.** The wordings are split into random halves, many times, and a half
  is what a user may have at hand. The interval is over examples and wordings: the variance of the gain between random
  halves estimates the variance over wordings of the gain with all of them (a delete-half jackknife).

Intervals hold for all ways of one task at once (Bonferroni), so the best of them may be picked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.aggregation import OVERALL, paper_weights
from phraseproof.analysis.calibrated import fold_of_examples
from phraseproof.analysis.distributions import t_quantile
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues
from phraseproof.analysis.reductions.ways import FOLDS, WAYS, Access, AnswerWay, Part
from phraseproof.errors import NotEnoughDataError

CONFIDENCE = 0.95
SPLITS = 20
MIN_WORDINGS = 4
MIN_EXAMPLES = 20


class Variance(NamedTuple):
    """A variance with its degrees of freedom."""

    value: float
    degrees_of_freedom: float


class Gain(NamedTuple):
    """A difference of accuracies with its interval, which holds for all ways of the task at once.

    Attributes:
        over_examples, over_wordings: the two parts of its variance.
    """

    estimate: float
    low: float
    high: float
    over_examples: Variance
    over_wordings: Variance


@dataclass(frozen=True, slots=True)
class JudgedWay:
    """One way on one task. Accuracies and gains are shares from 0 to 1.

    Attributes:
        accuracy: with all of the task's wordings, on examples that the way was not fitted on.
        gain: the accuracy less the mean accuracy of the wordings as they are; over examples.
        gain_elsewhere: the same for other wordings of the same kind; over examples and wordings.
        above_constant: the accuracy less that of the best constant answer; over examples.
        spread: the Std of the accuracy over single wordings, where every wording answers by itself; over the answers of
            random halves of the wordings, where they answer together.
        worst: the lowest of these accuracies.
        calls: model calls per answer, with all of the task's wordings.
    """

    way: AnswerWay
    accuracy: float
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
        chance: the mean score of blind guessing.
        majority: the mean score of the best constant answer.
        majority_class: that answer, a text or a letter; empty for the mean over tasks.
        ways: the wordings as they are, then the others in the order of `WAYS`.
    """

    task: str
    category: str
    num_fewshot: int
    wordings: int
    examples: int
    chance: float
    majority: float
    majority_class: str
    ways: tuple[JudgedWay, ...]


_NOTHING = Variance(0.0, 1.0)


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
    part = Part.fitted(values, calibration if is_calibrated else "", folds)
    number = np.array([names.index(name) for name in zip(values.groups, values.wordings, strict=True)])
    halves = [half for _ in range(SPLITS) for half in np.array_split(random.permutation(len(names)), 2)]
    parts = [part.take(np.flatnonzero(np.isin(number, half))) for half in halves]

    level = _level(len(ways))
    base = _Answers(ways[0], part, parts, number)
    constant, name = _constant(values)
    judged = tuple(_judged(_Answers(way, part, parts, number), base, constant, level, len(names)) for way in ways)
    return JudgedTask(
        values.task,
        values.category,
        values.num_fewshot,
        len(names),
        len(values.examples),
        values.chance,
        float(constant.mean()),
        name,
        judged,
    )


class _Answers:
    """The scores of one way.

    Attributes:
        of_all: [E] with all wordings.
        of_halves: [H, E] with the wordings of each half.
        levels: the accuracies that the spread is over.
    """

    def __init__(self, way: AnswerWay, whole: Part, halves: Sequence[Part], number: Ints) -> None:
        self.way = way
        found = way.answer(whole)
        self.of_all = found.mean(axis=0)
        self.of_halves = np.stack([way.answer(half).mean(axis=0) for half in halves])
        is_single = len(found) == len(number)
        per_wording = np.bincount(number, found.mean(axis=1)) / np.bincount(number) if is_single else None
        self.levels = self.of_halves.mean(axis=1) if per_wording is None else per_wording


def _judged(answers: _Answers, base: _Answers, constant: Floats, level: float, wordings: int) -> JudgedWay:
    examples = len(answers.of_all)
    # The folds' choices share examples, so what they score varies more than their examples do (Nadeau and Bengio 2003).
    widening = 1 + FOLDS / (FOLDS - 1) if answers.way.needs_labels else 1.0

    def over_examples(gains: Floats) -> Variance:
        return Variance(widening * float(np.var(gains, ddof=1)) / examples, examples - 1)

    gains = answers.of_all - base.of_all
    elsewhere = answers.of_halves - base.of_halves
    of_halves = Variance(float(np.var(elsewhere.mean(axis=1))), wordings - 1)
    return JudgedWay(
        answers.way,
        float(answers.of_all.mean()),
        _gain(float(gains.mean()), over_examples(gains), _NOTHING, level),
        _gain(float(elsewhere.mean()), over_examples(elsewhere.mean(axis=0)), of_halves, level),
        _gain(float((answers.of_all - constant).mean()), over_examples(answers.of_all - constant), _NOTHING, level),
        float(np.std(answers.levels, ddof=1)),
        float(answers.levels.min()),
        wordings if answers.way.calls is None else min(answers.way.calls, wordings),
    )


def _gain(estimate: float, over_examples: Variance, over_wordings: Variance, level: float) -> Gain:
    """Student's t with the degrees of freedom of Satterthwaite."""
    parts = [part for part in (over_examples, over_wordings) if part.value > 0]
    if not parts:
        return Gain(estimate, estimate, estimate, over_examples, over_wordings)
    total = sum(part.value for part in parts)
    freedom = total**2 / sum(part.value**2 / part.degrees_of_freedom for part in parts)
    reach = t_quantile((1 + level) / 2, freedom) * math.sqrt(total)
    return Gain(estimate, max(-1.0, estimate - reach), min(1.0, estimate + reach), over_examples, over_wordings)


def overall(tasks: Sequence[JudgedTask]) -> JudgedTask:
    """The mean over tasks, weighted as in the paper: equally within a category, categories equally.

    Different tasks have different examples, whose variances add up. They may share wordings, so the Stds over wordings
    add up, which is at least what the variances would give.
    """
    weights = paper_weights([task.category for task in tasks])
    level = _level(len(tasks[0].ways))

    def mean(value: Callable[[JudgedWay], float], place: int) -> float:
        return sum(weight * value(task.ways[place]) for weight, task in zip(weights, tasks, strict=True))

    def gain(of: Callable[[JudgedWay], Gain], place: int) -> Gain:
        found = [of(task.ways[place]) for task in tasks]
        examples = [Variance(w**2 * g.over_examples.value, g.over_examples.degrees_of_freedom)
                    for w, g in zip(weights, found, strict=True)]  # fmt: skip
        total = sum(part.value for part in examples)
        freedom = total**2 / sum(part.value**2 / part.degrees_of_freedom for part in examples) if total else 1.0
        std = sum(w * math.sqrt(g.over_wordings.value) for w, g in zip(weights, found, strict=True))
        least = min(g.over_wordings.degrees_of_freedom for g in found)
        estimate = sum(w * g.estimate for w, g in zip(weights, found, strict=True))
        return _gain(estimate, Variance(total, freedom), Variance(std**2, least), level)

    ways = tuple(
        JudgedWay(
            way.way,
            mean(lambda each: each.accuracy, place),
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
        sum(task.examples for task in tasks),
        sum(weight * task.chance for weight, task in zip(weights, tasks, strict=True)),
        sum(weight * task.majority for weight, task in zip(weights, tasks, strict=True)),
        "",
        ways,
    )


def _level(ways: int) -> float:
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
