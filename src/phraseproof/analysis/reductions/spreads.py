"""The Std over wordings and the worst wording of a way, with intervals over wordings and examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.estimators.crossed import draw_samples
from phraseproof.analysis.estimators.measures import Measured, compute, measure
from phraseproof.analysis.estimators.resampling import RESAMPLES, Resampler
from phraseproof.analysis.grids import Floats, TaskGrid
from phraseproof.analysis.reductions.judging import Judgement
from phraseproof.analysis.score_table import ScoreTable
from phraseproof.core import Finding

_ALL = "all wordings"


class WaySpreads(NamedTuple):
    """How far wordings are apart, if each answers by itself.

    Attributes:
        std: the Std over wordings.
        worst: the lowest accuracy of a wording.
    """

    std: Finding
    worst: Finding


def way_spreads(
    tasks: Sequence[Judgement], way: str, *, seed: int = 0, resamples: int = RESAMPLES
) -> WaySpreads | None:
    """Of one way the mean over tasks and training seeds; `None` where wordings answer together.

    Values and ends of intervals are means over training seeds: of one trained model, as it would be used.

    Args:
        tasks: one or several.
        way: its name.
        seed, resamples: of the crossed bootstrap.

    Raises:
        NotEnoughDataError: too few wordings.
    """
    scores = [task.scores(way) for task in tasks]
    known = [each for each in scores if each is not None]
    if len(known) < len(scores):
        return None
    found: list[tuple[Finding, Finding]] = []
    for number in range(len(known[0])):
        resampler = Resampler(seed, resamples)
        parts = [_measured(task, each[number], resampler) for task, each in zip(tasks, known, strict=True)]
        found.append((compute("std", parts), compute("worst", parts)))
    return WaySpreads(_mean([std for std, _ in found]), _mean([worst for _, worst in found]))


def _measured(task: Judgement, scores: Floats, resampler: Resampler) -> Measured:
    values = task.values
    names = tuple(dict.fromkeys(zip(values.groups, values.wordings, strict=True)))
    grid = TaskGrid(
        values.task,
        values.category,
        values.num_fewshot,
        groups=(_ALL,) * len(names),
        wordings=tuple(name for _, name in names),
        keys=tuple(f"{group}\0{name}" for group, name in names),
        means=scores.mean(axis=1),
        examples=values.examples,
        table=ScoreTable(scores),
    )
    return measure(draw_samples(grid, resampler)[_ALL], None)


def _mean(findings: Sequence[Finding]) -> Finding:
    first = findings[0]
    lows, highs = [each.low for each in findings], [each.high for each in findings]
    ends = [
        None if None in each else float(np.mean([value for value in each if value is not None]))
        for each in (lows, highs)
    ]
    estimate = float(np.mean([each.estimate for each in findings]))
    several = f", means over {len(findings)} training seeds" if len(findings) > 1 else ""
    return Finding(first.name, estimate, first.n, f"{first.method}{several}", ends[0], ends[1])
