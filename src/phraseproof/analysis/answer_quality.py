"""Brier score, log loss, calibration error, macro-F1 and balanced accuracy of groups of wordings, with intervals.

Each is computed for every wording, and averaged over wordings as accuracies are. The bootstrap draws examples and
wordings; it sums what examples add to a measure (bins, counts of classes), so that a resample costs one product.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from phraseproof.analysis.aggregation import Level, by_level
from phraseproof.analysis.classification import mean_f1, mean_recall
from phraseproof.analysis.distributions import t_quantile
from phraseproof.analysis.estimators.resampling import CONFIDENCE, Resampler
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues, choices, scores
from phraseproof.analysis.probability_scores import (
    BINS,
    brier_scores,
    confidences,
    equal_mass_bins,
    equal_width_bins,
    log_losses,
)
from phraseproof.core import Finding

MEASURES: Final = ("brier", "log_loss", "ece", "ece_equal_mass", "macro_f1", "balanced_accuracy")
"""Every measure's name, in the order in which they are shown."""

UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "brier": ("", 1.0),
    "log_loss": ("nats", 1.0),
    **dict.fromkeys(("ece", "ece_equal_mass", "macro_f1", "balanced_accuracy"), ("%", 100.0)),
}
"""The unit of each measure, and the factor from computed values to it."""

_MOST: Final = {"brier": 2.0, "log_loss": math.inf}
_OF_CLASSES = ("macro_f1", "balanced_accuracy")
_RESAMPLES = 200
# Examples are drawn in blocks of equal size where there are more, which changes no shown digit.
_MOST_BLOCKS = 1000


class GroupQuality(NamedTuple):
    """One group of wordings in one row.

    Attributes:
        findings: by measure the mean over wordings with its interval; without those that are not defined.
        stds: by measure the sample standard deviation over wordings; of several tasks their mean.
        draws: by measure [B] the resampled means.
    """

    findings: Mapping[str, Finding]
    stds: Mapping[str, float]
    draws: Mapping[str, Floats]


class QualityRow(NamedTuple):
    """A task, a category of tasks, or all."""

    level: Level
    name: str
    category: str
    groups: Mapping[str, GroupQuality]


def answer_quality(tasks: Iterable[OptionValues], *, seed: int = 0) -> tuple[QualityRow, ...]:
    """Rows of tasks, then categories, then overall.

    Args:
        tasks: of a run at one number of demonstrations; at least one. They are taken one by one.
        seed: of the resampling.
    """
    resampler = Resampler(seed, _RESAMPLES)
    draw = np.random.default_rng(seed)
    levels = by_level(
        [_task(of, resampler, draw) for of in tasks], category=lambda row: row.category, combine=_mean_row
    )
    return (*levels.tasks, *levels.categories, levels.overall)


def wording_measures(of: OptionValues) -> dict[str, Floats]:
    """By measure [R] its value in each row; without measures of classes where classes are positions."""
    everything = np.ones((1, 1))
    rows = [_resampled(_sums(of, row, _classes(of), np.zeros(len(of.examples), dtype=np.intp), 1), everything)
            for row in range(len(of.wordings))]  # fmt: skip
    return {name: np.array([float(row[name][0]) for row in rows]) for name in rows[0]}


def _task(of: OptionValues, resampler: Resampler, draw: np.random.Generator) -> QualityRow:
    blocks = min(len(of.examples), _MOST_BLOCKS)
    place = draw.permutation(len(of.examples)) * blocks // len(of.examples)
    picks = draw.integers(0, blocks, size=(_RESAMPLES, blocks))
    weights = np.stack([np.bincount(each, minlength=blocks) for each in (np.arange(blocks), *picks)]).astype(np.float64)
    classes = _classes(of)
    by_wording: dict[tuple[str, str], list[dict[str, Floats]]] = {}
    for row, key in enumerate(zip(of.groups, of.wordings, strict=True)):
        by_wording.setdefault(key, []).append(_resampled(_sums(of, row, classes, place, blocks), weights))
    groups: dict[str, GroupQuality] = {}
    for group in dict.fromkeys(of.groups):
        names = [wording for each, wording in by_wording if each == group]
        # Of several draws of demonstrations, the mean.
        values = {
            measure: np.stack([np.mean([each[measure] for each in by_wording[group, name]], axis=0) for name in names])
            for measure in by_wording[group, names[0]][0]
        }
        groups[group] = _group(values, names, len(of.examples), resampler)
    return QualityRow(Level.TASK, of.task, of.category, groups)


def _group(values: Mapping[str, Floats], names: Sequence[str], examples: int, resampler: Resampler) -> GroupQuality:
    """From values [W, 1 + B] by measure, of the data and of resampled examples."""
    drawn = resampler.wordings(names)
    findings: dict[str, Finding] = {}
    stds: dict[str, float] = {}
    draws: dict[str, Floats] = {}
    for name, of_wording in values.items():
        resampled = of_wording[:, 1:].T
        draws[name] = drawn.weighted(resampled)
        if len(names) > 1:
            stds[name] = float(of_wording[:, 0].std(ddof=1))
        findings[name] = _finding(name, float(of_wording[:, 0].mean()), draws[name], len(names), len(names) * examples)
    return GroupQuality(findings, stds, draws)


def _finding(name: str, value: float, draws: Floats, wordings: int, count: int) -> Finding:
    freedom = wordings - 1 if wordings > 1 else math.inf
    error = float(draws.std(ddof=1))
    reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * error
    method = "mean over wordings, bootstrap over wordings and examples, t"
    low, high = max(0.0, value - reach), min(_MOST.get(name, 1.0), value + reach)
    return Finding(name, value, count, method, low, high, None, error, freedom)


def _mean_row(level: Level, name: str, below: Sequence[QualityRow]) -> QualityRow:
    """Means over the rows below that have the group and the measure."""
    category = name if level is Level.CATEGORY else ""
    groups: dict[str, GroupQuality] = {}
    for group in dict.fromkeys(group for row in below for group in row.groups):
        parts = [row.groups[group] for row in below if group in row.groups]
        findings: dict[str, Finding] = {}
        stds: dict[str, float] = {}
        draws: dict[str, Floats] = {}
        for measure in MEASURES:
            known = [part for part in parts if measure in part.findings]
            if not known:
                continue
            draws[measure] = np.mean([part.draws[measure] for part in known], axis=0)
            spreads = [part.stds[measure] for part in known if measure in part.stds]
            if spreads:
                stds[measure] = float(np.mean(spreads))
            own = [part.findings[measure] for part in known]
            freedom = min(each.degrees_of_freedom or math.inf for each in own)
            value = float(np.mean([each.estimate for each in own]))
            found = _finding(measure, value, draws[measure], 2, sum(each.n for each in own))
            reach = t_quantile((1 + CONFIDENCE) / 2, freedom) * (found.standard_error or 0.0)
            low, high = max(0.0, value - reach), min(_MOST.get(measure, 1.0), value + reach)
            findings[measure] = Finding(measure, value, found.n, found.method, low, high, None,
                                        found.standard_error, freedom)  # fmt: skip
        groups[group] = GroupQuality(findings, stds, draws)
    return QualityRow(level, name, category, groups)


class _Sums(NamedTuple):
    """What the examples of each block add up to, under one wording.

    Attributes:
        counts: [G] examples.
        losses: [G, 2] Brier scores and log losses.
        gaps: [G, 2, BINS] confidence minus score, in bins of equal width and of equal mass.
        answers: [G, 3, K] by class the right answers, the right and the chosen classes; `None` without classes.
    """

    counts: Floats
    losses: Floats
    gaps: Floats
    answers: Floats | None


def _classes(of: OptionValues) -> tuple[Ints, int] | None:
    """[E, C] the classes of options for all rows, and their number; `None` where they are positions.

    Texts whose order differs between examples are the classes, also under wordings that score letters, as in
    `analysis/answers.py`.
    """
    if any(of.by_position):
        return None
    moving = [row for row, classes in enumerate(of.classes) if (classes != classes[0]).any()]
    row = moving[0] if moving else 0
    return of.classes[row], len(of.class_names[row])


def _sums(of: OptionValues, row: int, classes: tuple[Ints, int] | None, place: Ints, blocks: int) -> _Sums:
    one = of.take([row])
    logprobs, targets = one.logprobs[0], of.targets
    score, confidence = scores(one.values, of)[0], confidences(logprobs)
    losses = np.stack(
        [np.bincount(place, weights=each, minlength=blocks)
         for each in (brier_scores(logprobs, targets), log_losses(logprobs, targets))], axis=1
    )  # fmt: skip
    gaps = np.stack(
        [np.bincount(place * BINS + bins, weights=confidence - score, minlength=blocks * BINS).reshape(blocks, BINS)
         for bins in (equal_width_bins(confidence), equal_mass_bins(confidence))], axis=1
    )  # fmt: skip
    losses, gaps = losses.astype(np.float64), gaps.astype(np.float64)
    counts = np.bincount(place, minlength=blocks).astype(np.float64)
    if classes is None:
        return _Sums(counts, losses, gaps, None)
    names, number = classes
    each = np.arange(len(targets))
    chosen = choices(one.values, of.has_option)[0]
    # Where several options are right and one of them is chosen, it counts as the right one.
    right = np.where(of.credits[each, chosen] >= of.credits[each, targets], chosen, targets)
    of_right, of_chosen = names[each, right], names[each, chosen]
    answers = np.zeros((3, blocks * number))
    answers[0] = np.bincount(place * number + of_right, weights=of_right == of_chosen, minlength=blocks * number)
    answers[1] = np.bincount(place * number + of_right, minlength=blocks * number)
    answers[2] = np.bincount(place * number + of_chosen, minlength=blocks * number)
    return _Sums(counts, losses, gaps, answers.reshape(3, blocks, number).transpose(1, 0, 2))


def _resampled(sums: _Sums, weights: Floats) -> dict[str, Floats]:
    """By measure [B] its value where blocks have the weights [B, G]."""
    count = weights @ sums.counts
    losses = weights @ sums.losses / count[:, None]
    gaps = np.abs(np.tensordot(weights, sums.gaps, axes=1)).sum(axis=-1) / count[:, None]
    found = {"brier": losses[:, 0], "log_loss": losses[:, 1], "ece": gaps[:, 0], "ece_equal_mass": gaps[:, 1]}
    if sums.answers is not None:
        hits, right, chosen = np.moveaxis(np.tensordot(weights, sums.answers, axes=1), 1, 0)
        found |= {"macro_f1": mean_f1(hits, right + chosen), "balanced_accuracy": mean_recall(hits, right)}
    return found
