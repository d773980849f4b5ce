"""What a run says, as sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import by_level
from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.numbers import (
    difference_in_unit,
    short_difference_unit,
    short_method,
    value_in_unit,
    value_with_unit,
)
from phraseproof.reports.build.run_tables import TaskTable, rows_for_people
from phraseproof.reports.build.text import isolated, short_model_name
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.core import Finding
    from phraseproof.scoring.metric import Metric


class TaskValue(NamedTuple):
    """One number of a task."""

    category: str
    value: float


def mean_over_tasks(values: Iterable[TaskValue]) -> float:
    """Over tasks, then categories, as the overall row of every table."""
    found = by_level(
        list(values),
        category=lambda row: row.category,
        combine=lambda _, name, below: TaskValue(name, fmean(row.value for row in below)),
    )
    return found.overall.value


def scores_of(rankings: Sequence[WordingRanking], name: str | None) -> list[TaskValue]:
    """The scores of one wording, once per task."""
    found = {
        ranking.task: TaskValue(ranking.category, wording.score.mean_score)
        for ranking in rankings
        for wording in ranking.wordings
        if wording.score.instruction == name
    }
    return list(found.values())


def by_wording(table: TaskTable, rankings: Sequence[WordingRanking], robustness: Robustness | None) -> str:
    """The difference between the worst and the best wording, on the only task or the average task."""
    metric = table.run.metric
    parts: list[str] = []
    for group in dict.fromkeys(ranking.group for ranking in rankings):
        ranges: dict[str, list[float]] = {}
        for ranking in rankings:
            found = [wording.score.mean_score for wording in ranking.wordings]
            if ranking.group == group and len(found) > 1:
                ranges.setdefault(ranking.category, []).append(max(found) - min(found))
        if not ranges:
            continue
        value = fmean(fmean(of_category) for of_category in ranges.values())
        words = f"{value_in_unit(value, metric)} {short_difference_unit(metric)} in the group {isolated(group)}"
        interval = _range_interval(robustness, group)
        if interval is not None:
            ends = f"{value_in_unit(interval.low, metric)} to {value_in_unit(interval.high, metric)}"
            words += f" (95% interval {ends}, {interval.method})"
        parts.append(words)
    if not parts:
        return ""
    lone = len(table.summary.tasks) == 1
    place = f"On {isolated(table.summary.tasks[0].name)}" if lone else "On the average task"
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{place}, {isolated(metric.name)} differs between the worst and the best wording by {joined}."


class _Interval(NamedTuple):
    """An interval, and how it was found: other commands print intervals of the same figure by other methods."""

    low: float
    high: float
    method: str


def _interval(found: Finding | None) -> _Interval | None:
    if found is None or found.low is None or found.high is None:
        return None
    return _Interval(found.low, found.high, short_method(found))


def _range_interval(robustness: Robustness | None, group: str) -> _Interval | None:
    if robustness is None:
        return None
    row = robustness.tasks[0] if len(robustness.tasks) == 1 else robustness.overall
    return _interval(row.groups[group].findings.get("range")) if group in row.groups else None


def between_groups(table: TaskTable, robustness: Robustness | None, apart: Collection[str]) -> list[str]:
    """Each group's mean and the first group's, or the mean of a lone group.

    Args:
        table: of one run at one number of demonstrations.
        robustness: the same with intervals, where there are any.
        apart: groups that are not compared.
    """
    summary, metric = table.summary, table.run.metric
    row = rows_for_people(summary)[-1]
    if len(summary.groups) == 1:
        (group,) = summary.groups
        found = row.groups[group]
        number = f"{found.num_wordings} wording{'' if found.num_wordings == 1 else 's'}"
        text = f"{_reaches(table, found.mean)}, averaged over {number}"
        std = "" if found.std is None else f" (Std {value_in_unit(found.std, metric)} {short_difference_unit(metric)})"
        return [f"{text}{std}."]
    first = summary.groups[0]
    sentences: list[str] = []
    for group in (group for group in summary.groups[1:] if group not in apart):
        gap = row.differences.get(group)
        if gap is None:
            continue
        shown = difference_in_unit(gap.value, metric)
        words = "no difference" if shown == "0.0" else f"a difference of {shown} {short_difference_unit(metric)}"
        finding = _difference(robustness, group)
        if finding is not None:
            ends = f"{difference_in_unit(finding.low, metric)} to {difference_in_unit(finding.high, metric)}"
            words += f" (95% interval {ends}, {finding.method})"
        sentences.append(
            f"{_reaches(table, row.groups[first].mean)} with the wordings of {isolated(first)} and "
            f"{value_with_unit(row.groups[group].mean, metric)} with those of {isolated(group)}: {words}."
        )
    return sentences


def _reaches(table: TaskTable, value: float) -> str:
    """The beginning of a sentence: `SmolLM2 answers 48.1% right`, or `SmolLM2 has a length of 12.3 letters`."""
    model, metric = isolated(short_model_name(table.run.model)), table.run.metric
    if metric.name == ACCURACY.name:
        return f"{model} answers {value_with_unit(value, metric)} right"
    return f"The mean {isolated(metric.name)} of {model} is {value_with_unit(value, metric)}"


def _difference(robustness: Robustness | None, group: str) -> _Interval | None:
    if robustness is None:
        return None
    row = robustness.tasks[0] if len(robustness.tasks) == 1 else robustness.overall
    return _interval(row.differences.get(group))


def within_a_task(rankings: Sequence[WordingRanking], metric: Metric) -> str:
    """The task on which the choice of wording matters most."""
    by_task: dict[str, list[tuple[float, str]]] = {}
    for ranking in rankings:
        for wording in ranking.wordings:
            by_task.setdefault(ranking.task, []).append((wording.score.mean_score, wording.score.instruction))
    wide = {task: max(scores)[0] - min(scores)[0] for task, scores in by_task.items()}
    task = max(wide, key=lambda name: wide[name])
    if wide[task] == 0:
        return "On every task all wordings do equally well."
    worst, best = min(by_task[task]), max(by_task[task])
    if not metric.higher_is_better:
        worst, best = best, worst
    return (
        f"The choice of wording matters most on {isolated(task)}: {value_with_unit(best[0], metric)} with "
        f"{isolated(best[1])}, {value_with_unit(worst[0], metric)} with {isolated(worst[1])}."
    )


def of_current(rankings: Sequence[WordingRanking], current: str, metric: Metric) -> str:
    """How the wording in use today does, and how much the best wording does better; empty where it has no score."""
    lost: list[tuple[float, str]] = []
    own = scores_of(rankings, current)
    for task in dict.fromkeys(ranking.task for ranking in rankings):
        scores = [w.score for ranking in rankings if ranking.task == task for w in ranking.wordings]
        mine = [metric.benefit(score.mean_score) for score in scores if score.instruction == current]
        if mine:
            lost.append((max(metric.benefit(score.mean_score) for score in scores) - mine[0], task))
    if not own:
        return ""
    most, task = max(lost)
    gain = f"{value_in_unit(most, metric)} {short_difference_unit(metric)}"
    tail = (
        "no other wording does better on any task"
        if most == 0
        else f"the best wording does up to {gain} better (on {isolated(task)})"
    )
    return f"The current wording, {isolated(current)}, gets {value_with_unit(mean_over_tasks(own), metric)}; {tail}."
