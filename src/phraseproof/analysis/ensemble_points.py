"""Points of the curve of accuracy against cost, of one task and as means over tasks."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from statistics import fmean
from typing import Final, Literal, NamedTuple, TypeAlias

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.analysis.distributions import normal_sf
from phraseproof.analysis.estimators.extremes import Bounded, mean_of_bounded
from phraseproof.core import Finding

Way: TypeAlias = Literal["random", "best", "greedy", "all"]

NONE: Final = "none"
"""No calibration."""

ALL: Final = 0
"""The size of an ensemble of all wordings of a task."""

WAYS: Final[tuple[Way, ...]] = ("random", "best", "greedy", "all")


class EnsemblePoint(NamedTuple):
    """Ensembles of one size, chosen in one way.

    Attributes:
        size: the number of members; `ALL` for all wordings.
        way: how members are chosen: at random, by their own accuracies (`best`), one after the other (`greedy`).
        calibration: of the members; `none`, or the method.
        calls: model calls per answer.
        tokens: prompt tokens per answer; `None` where the run does not store them.
        accuracy: its interval is over examples; of random members, for one random choice.
        std: the sample standard deviation of the accuracy over random choices; of one wording the paper's Std.
        gain: over the mean single wording as it is, without calibration.
        gain_over_best: over the single wording with the highest accuracy on the other folds, without calibration;
            `None` for that wording itself.
        members: those chosen on all examples, for use; empty where they are random, and above tasks.
    """

    size: int
    way: Way
    calibration: str
    calls: float
    tokens: float | None
    accuracy: Finding
    std: float | None
    gain: Finding
    gain_over_best: Finding | None
    members: tuple[str, ...]

    @property
    def key(self) -> tuple[int, Way, str]:
        """What tells points of one curve apart."""
        return self.size, self.way, self.calibration


class EnsembleCurve(NamedTuple):
    """The ensembles of a task, of a category of tasks, or of all.

    Attributes:
        name: of the task or category.
        wordings, examples: how many wordings an ensemble can have and how many examples judge it; summed above tasks.
        points: uncalibrated ones first, by size.
    """

    level: Level
    name: str
    category: str
    wordings: int
    examples: int
    points: tuple[EnsemblePoint, ...]


def over_tasks(curves: Sequence[EnsembleCurve]) -> tuple[EnsembleCurve, ...]:
    """Categories, then the overall curve: means of the ensembles that all tasks below have, tasks weighted equally."""
    levels = by_level(curves, category=lambda curve: curve.category, combine=_mean_curve)
    return (*levels.categories, levels.overall)


def _mean_curve(level: Level, name: str, below: Sequence[EnsembleCurve]) -> EnsembleCurve:
    category = name if level is Level.CATEGORY else ""
    if len(below) == 1:
        return below[0]._replace(level=level, name=name, category=category)
    by_key = [{point.key: point for point in curve.points} for curve in below]
    shared = [key for key in by_key[0] if all(key in points for points in by_key)]
    return EnsembleCurve(
        level,
        name,
        category,
        sum(curve.wordings for curve in below),
        sum(curve.examples for curve in below),
        tuple(_mean_point([points[key] for points in by_key]) for key in shared),
    )


def _mean_point(parts: Sequence[EnsemblePoint]) -> EnsemblePoint:
    first = parts[0]
    tokens = [part.tokens for part in parts if part.tokens is not None]
    stds = [part.std for part in parts if part.std is not None]
    over_best = [part.gain_over_best for part in parts if part.gain_over_best is not None]
    return first._replace(
        calls=fmean(part.calls for part in parts),
        tokens=fmean(tokens) if len(tokens) == len(parts) else None,
        accuracy=_mean_finding([part.accuracy for part in parts], lowest=0.0),
        std=fmean(stds) if stds else None,
        gain=_mean_finding([part.gain for part in parts], lowest=-1.0),
        gain_over_best=_mean_finding(over_best, lowest=-1.0) if over_best else None,
        members=(),
    )


def _mean_finding(parts: Sequence[Finding], *, lowest: float) -> Finding:
    """The mean over independent tasks; its p-value is the normal one of the tasks' standard errors."""
    weight = 1 / len(parts)
    bounded = [(Bounded(part.estimate, part.low, part.high), weight) for part in parts
               if part.low is not None and part.high is not None]  # fmt: skip
    whole = mean_of_bounded(bounded, lowest=lowest)
    errors = [part.standard_error for part in parts if part.standard_error is not None]
    error = weight * hypot(*errors) if len(errors) == len(parts) else None
    p_value = 2 * normal_sf(abs(whole.value) / error) if error else None
    return Finding(
        parts[0].name,
        whole.value,
        sum(part.n for part in parts),
        f"mean of the level below, {parts[0].method}",
        whole.low,
        whole.high,
        None if p_value is None else min(1.0, p_value),
        error,
    )
