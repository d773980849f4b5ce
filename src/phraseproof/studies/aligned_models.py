"""What alignments change: a base model and models made of it, measured on the same prompts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.paired import ComparisonRow, RunComparison, compare_runs
from phraseproof.analysis.result_rows import finding_row, place_of
from phraseproof.analysis.robustness import GroupSummary
from phraseproof.analysis.statistics import Robustness, robustness
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError
from phraseproof.studies.measured import MeasuredGroups, mean_finding

if TYPE_CHECKING:
    from phraseproof.analysis.grids import TaskGrid
    from phraseproof.analysis.results import ResultRow

GAIN = "gain over the base model"
"""The statistic of the rows of gains."""


class AlignedRow(NamedTuple):
    """A task, a category or everything.

    Attributes:
        groups: by group mean and Std, means over the seeds of the trainings.
        means: the mean by group with its interval over wordings and examples, where there is one.
        gains: by group the mean minus that of the base model, with its interval; empty for the base model.
    """

    level: Level
    name: str
    category: str
    groups: Mapping[str, GroupSummary]
    means: Mapping[str, Finding]
    gains: Mapping[str, Finding]


@dataclass(frozen=True)
class AlignedModel:
    """The models that trainings by one method made of a base model, one per seed; or the base model itself.

    Attributes:
        method: as it is shown.
        seeds: the run of each.
        statistics: of the mean over seeds of every score.
        gains: that mean minus the base model's score, on the same wordings and examples; `None` for the base model.
    """

    method: str
    seeds: tuple[MeasuredGroups, ...]
    statistics: Robustness
    gains: RunComparison | None

    @property
    def first(self) -> MeasuredGroups:
        """The run of the first seed, for what all have in common."""
        return self.seeds[0]

    def rows(self) -> Iterator[AlignedRow]:
        """Tasks, categories and the overall row."""
        gains: dict[tuple[Level, str], ComparisonRow] = {}
        if self.gains is not None:
            every = (*self.gains.tasks, *self.gains.categories, self.gains.overall)
            gains = {(row.level, row.name): row for row in every}
        of_seeds = [[row for row, _ in found.rows()] for found in self.seeds]
        statistics = (*self.statistics.tasks, *self.statistics.categories, self.statistics.overall)
        measured = {(row.level, row.name): row for row in statistics}
        for same in zip(*of_seeds, strict=True):
            first = same[0]
            place = first.level, first.name
            means = {group: mean_finding(found) for group, found in measured[place].groups.items()}
            yield AlignedRow(
                *place,
                first.category,
                {group: _mean([row.groups[group] for row in same]) for group in first.groups},
                {group: found for group, found in means.items() if found is not None},
                gains[place].groups if place in gains else {},
            )

    def result_rows(self) -> Iterator[ResultRow]:
        """The rows of every run, then the gains, which are those of the mean over seeds, under the first run's name."""
        for found in self.seeds:
            yield from found.result_rows()
        source = self.first.source
        for row in self.rows():
            for group, gain in row.gains.items():
                place = place_of(row.level, row.name, row.category, group)
                yield finding_row(source, place, GAIN, gain, source.difference_unit())


def base_model(measured: MeasuredGroups) -> AlignedModel:
    """The base model, of its run."""
    return AlignedModel("base", (measured,), measured.statistics, None)


def aligned_model(method: str, seeds: Sequence[MeasuredGroups], base: MeasuredGroups, *, seed: int = 0) -> AlignedModel:
    """The models that a method made of a base model.

    Args:
        method: as it is shown.
        seeds: the runs of the models, one per seed of the training.
        base: the run of the base model on the same prompts.
        seed: of the resampling.

    Raises:
        NotEnoughDataError: the runs do not hold the same wordings and examples.
    """
    grids, statistics = seeds[0].grids, seeds[0].statistics
    if len(seeds) > 1:
        grids = tuple(_mean_of_grids([found.grids for found in seeds], str(seeds[0].run.path)))
        (statistics,) = robustness(grids, group_order=base.groups, seed=seed)
    (gains,) = compare_runs(base.grids, grids, seed=seed)
    return AlignedModel(method, tuple(seeds), statistics, gains)


def _mean(of: Sequence[GroupSummary]) -> GroupSummary:
    stds = [each.std for each in of if each.std is not None]
    return replace(of[0], mean=fmean(each.mean for each in of), std=fmean(stds) if stds else None)


def _mean_of_grids(runs: Sequence[tuple[TaskGrid, ...]], where: str) -> Iterator[TaskGrid]:
    """The mean over runs of every score."""
    if len({tuple((grid.task, grid.keys, grid.examples) for grid in run) for run in runs}) > 1:
        raise NotEnoughDataError(
            "the models of several seeds were not scored on the same wordings and examples",
            where=where,
            hint="Repeat the command: what failed is tried again",
        )
    for same in zip(*runs, strict=True):
        scored = [grid.scores for grid in same if grid.scores is not None]
        scores = np.mean(scored, axis=0) if scored else None
        means = np.mean([grid.means for grid in same], axis=0)
        yield replace(same[0], scores=scores, means=means, answers=None, is_read=None, draws=())
