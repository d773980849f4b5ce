"""The first thing on the page: what the run says, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import by_level
from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.answers import baseline, constant_line
from phraseproof.reports.build.run_tables import TaskTable, isolated, percent, points, rows_for_people, short_method
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.headline import mean_intervals
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.analysis.statistics import Robustness
    from phraseproof.core import Finding
    from phraseproof.store.queries import WordingScore


class LargeFigure(NamedTuple):
    """A large number.

    Attributes:
        label: what it is.
        value: in percent, as a text.
        detail: a remark below it; may be empty.
    """

    label: str
    value: str
    detail: str = ""


class Headline(NamedTuple):
    """Words, numbers and a picture.

    Attributes:
        warning: what a reader must know before any accuracy; may be empty.
        figures: today's wording or the mean, the best, the worst, and chance.
        sentences: the first says most.
    """

    warning: str
    figures: tuple[LargeFigure, ...]
    sentences: tuple[str, ...]
    chart: Chart


def headline(
    table: TaskTable,
    rankings: Sequence[WordingRanking],
    robustness: Robustness | None,
    current: str | None = None,
    controls: Collection[str] = (),
) -> Headline:
    """What a run says, most important first; every number is also in a table below.

    Args:
        table, rankings: of one run at one number of demonstrations.
        robustness: the same with intervals, where there are any.
        current: the wording in use today.
        controls: groups of wordings that are expected to score low; the page shows them elsewhere. (If the first group
            is one, the others are still compared with it.)
    """
    apart = () if table.summary.groups[0] in controls else controls
    fair = [ranking for ranking in rankings if ranking.group not in apart]
    sentences = [
        _by_wording(table, fair, robustness),
        *_between_groups(table, robustness, apart),
        _within_a_task(fair),
    ]
    if current is not None:
        sentences.append(_current(fair, current))
    line = constant_line(table.answers)
    return Headline(
        f"{isolated(line)}." if line else "",
        tuple(_figures(table, fair, current)),
        tuple(filter(None, sentences)),
        mean_intervals(table, robustness),
    )


class _TaskValue(NamedTuple):
    category: str
    value: float


def _mean(values: Iterable[_TaskValue]) -> float:
    """Over tasks, then categories, as the overall row of every table."""
    found = by_level(
        list(values),
        category=lambda row: row.category,
        combine=lambda _, name, below: _TaskValue(name, fmean(row.value for row in below)),
    )
    return found.overall.value


def _figures(table: TaskTable, rankings: Sequence[WordingRanking], current: str | None) -> list[LargeFigure]:
    by_task: dict[tuple[str, str], list[WordingScore]] = {}
    for ranking in rankings:
        of_task = by_task.setdefault((ranking.category, ranking.task), [])
        of_task += [wording.score for wording in ranking.wordings]
    if not by_task:
        return []
    own = _scores_of(rankings, current)
    if own:
        first = LargeFigure("current wording", percent(_mean(own)), isolated(current or ""))
    else:
        means = [_TaskValue(of[0], fmean(score.mean_score for score in scores)) for of, scores in by_task.items()]
        first = LargeFigure("mean over wordings", percent(_mean(means)))
    figures = [first]
    for label, choose in (("best wording", max), ("worst wording", min)):
        chosen = {of: choose(scores, key=lambda score: score.mean_score) for of, scores in by_task.items()}
        value = percent(_mean(_TaskValue(of[0], score.mean_score) for of, score in chosen.items()))
        lone = next(iter(chosen.values())).instruction if len(chosen) == 1 else ""
        figures.append(LargeFigure(label, value, isolated(lone) if lone else "of each task, mean over tasks"))
    if table.answers and table.run.metric.name == ACCURACY.name:
        found = baseline(table.answers)
        figures.append(LargeFigure("chance", percent(found.chance), f"best constant answer {percent(found.majority)}"))
    return figures


def _scores_of(rankings: Sequence[WordingRanking], name: str | None) -> list[_TaskValue]:
    """The scores of one wording, once per task."""
    found = {
        ranking.task: _TaskValue(ranking.category, wording.score.mean_score)
        for ranking in rankings
        for wording in ranking.wordings
        if wording.score.instruction == name
    }
    return list(found.values())


def _by_wording(table: TaskTable, rankings: Sequence[WordingRanking], robustness: Robustness | None) -> str:
    """How far accuracy moves from the worst wording to the best, on a lone task or the average one."""
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
        words = f"{percent(value)} points with {isolated(group)} {'ones' if parts else 'wordings'}"
        interval = _range_interval(robustness, group)
        if interval is not None:
            words += f" (95% interval {percent(interval.low)} to {percent(interval.high)}, {interval.method})"
        parts.append(words)
    if not parts:
        return ""
    lone = len(table.summary.tasks) == 1
    place = f"On {isolated(table.summary.tasks[0].name)}" if lone else "On the average task"
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{place}, accuracy moves from the worst wording to the best by {joined}."


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


def _between_groups(table: TaskTable, robustness: Robustness | None, apart: Collection[str]) -> list[str]:
    summary = table.summary
    row = rows_for_people(summary)[-1]
    model = isolated(table.run.model)
    if len(summary.groups) == 1:
        (group,) = summary.groups
        found = row.groups[group]
        number = f"{found.num_wordings} wording{'' if found.num_wordings == 1 else 's'}"
        text = f"{model} answers {percent(found.mean)}% right, averaged over {number}"
        return [f"{text} (Std {percent(found.std)} points)." if found.std is not None else f"{text}."]
    first = summary.groups[0]
    sentences: list[str] = []
    for group in (group for group in summary.groups[1:] if group not in apart):
        gap = row.differences.get(group)
        if gap is None:
            continue
        words = "no difference" if points(gap.value) == "0.0" else f"a difference of {points(gap.value)} points"
        finding = _difference(robustness, group)
        if finding is not None:
            words += f" (95% interval {points(finding.low)} to {points(finding.high)}, {finding.method})"
        sentences.append(
            f"{model} answers {percent(row.groups[first].mean)}% right with {isolated(first)} wordings and "
            f"{percent(row.groups[group].mean)}% with {isolated(group)} ones: {words}."
        )
    return sentences


def _difference(robustness: Robustness | None, group: str) -> _Interval | None:
    if robustness is None:
        return None
    row = robustness.tasks[0] if len(robustness.tasks) == 1 else robustness.overall
    return _interval(row.differences.get(group))


def _within_a_task(rankings: Sequence[WordingRanking]) -> str:
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
    return (
        f"The choice of wording matters most on {isolated(task)}: {percent(best[0])}% with {isolated(best[1])}, "
        f"{percent(worst[0])}% with {isolated(worst[1])}."
    )


def _current(rankings: Sequence[WordingRanking], current: str) -> str:
    lost: list[tuple[float, str]] = []
    own = _scores_of(rankings, current)
    for task in dict.fromkeys(ranking.task for ranking in rankings):
        scores = [w.score for ranking in rankings if ranking.task == task for w in ranking.wordings]
        mine = [score.mean_score for score in scores if score.instruction == current]
        if mine:
            lost.append((max(score.mean_score for score in scores) - mine[0], task))
    if not own:
        return ""
    most, task = max(lost)
    tail = (
        "no other wording does better on any task"
        if most == 0
        else f"the best wording does up to {percent(most)} points better (on {isolated(task)})"
    )
    return f"The current wording, {isolated(current)}, gets {percent(_mean(own))}%; {tail}."
