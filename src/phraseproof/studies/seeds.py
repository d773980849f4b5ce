"""What the seeds of trainings change: mean and spread of their gains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.result_rows import finding_row, place_of
from phraseproof.analysis.results import ResultRow
from phraseproof.core import Finding
from phraseproof.reports.build.numbers import difference_in_unit, value_in_unit
from phraseproof.studies.aligned_models import AVERAGE, FROM_BASE, AlignedModels
from phraseproof.studies.exhibit import ExhibitTable


class SeedSummary(NamedTuple):
    """One training under several seeds, and the wordings of one group.

    Attributes:
        training: as tables name it.
        shown: the group as tables name it.
        gains: aligned minus base over all tasks, by seed, in the metric's stored unit.
    """

    of: AlignedModels
    training: str
    shown: str
    gains: tuple[float, ...]


def _both_and_average(each: AlignedModels) -> Mapping[str, str]:
    return {group: group for group in (*each.base.groups, AVERAGE)}


def seed_tables(
    measured: Sequence[AlignedModels], *, groups: Callable[[AlignedModels], Mapping[str, str]] = _both_and_average
) -> Iterator[ExhibitTable]:
    """What the seeds of the trainings change; nothing with one seed.

    Args:
        groups: the rows of a model: the group of wordings, or `AVERAGE`, by the name that is shown.
    """
    rows: list[tuple[str, ...]] = []
    for each in _summaries(measured, groups):
        metric = each.of.base.metric
        low, high = (difference_in_unit(end, metric) for end in (min(each.gains), max(each.gains)))
        mean, spread = difference_in_unit(fmean(each.gains), metric), value_in_unit(stdev(each.gains), metric)
        names = (each.of.name, each.training, each.shown)
        rows.append((*names, mean, spread, f"{low} to {high}", str(len(each.gains))))
    if rows:
        headings = ("model", "training", "wordings", "mean change", "Std over seeds", "range", "seeds")
        yield ExhibitTable("Over the seeds of the training", headings, tuple(rows), num_names=3)


def seed_rows(
    measured: Sequence[AlignedModels], *, groups: Callable[[AlignedModels], Mapping[str, str]] = _both_and_average
) -> Iterator[ResultRow]:
    """The same as rows, whose `n` is the number of seeds; an average over groups has no group."""
    for each in _summaries(measured, groups):
        source = each.of.base.source
        place = place_of(Level.OVERALL, "", "", "" if each.shown == AVERAGE else each.shown)
        method = f"over the seeds of {each.training}"
        for name, value in (("mean", fmean(each.gains)), ("std", stdev(each.gains))):
            statistic = f"{name} over seeds of the {FROM_BASE}"
            finding = Finding(statistic, value, len(each.gains), method)
            yield finding_row(source, place, statistic, finding, source.difference_unit())


def _summaries(
    measured: Sequence[AlignedModels], groups: Callable[[AlignedModels], Mapping[str, str]]
) -> Iterator[SeedSummary]:
    for each in measured:
        for name in dict.fromkeys(aligned.name for aligned in each.aligned):
            made = [aligned for aligned in each.aligned if aligned.name == name]
            for shown, group in groups(each).items():
                found = [aligned.gain(OVERALL, group) for aligned in made]
                gains = tuple(finding.estimate for finding in found if finding is not None)
                if len(gains) > 1:
                    yield SeedSummary(each, name, shown, gains)
