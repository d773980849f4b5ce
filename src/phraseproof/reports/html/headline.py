"""The first thing on the page: what the run says, in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.run_tables import TaskTable, isolated, percent, points, rows_for_people
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.headline import mean_intervals

if TYPE_CHECKING:
    from phraseproof.analysis.statistics import Robustness


class Headline(NamedTuple):
    """Words and a picture.

    Attributes:
        sentences: the first says most.
    """

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
    return Headline(tuple(filter(None, sentences)), mean_intervals(table, robustness))


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
            words += f" (95% interval {percent(interval[0])} to {percent(interval[1])})"
        parts.append(words)
    if not parts:
        return ""
    lone = len(table.summary.tasks) == 1
    place = f"On {isolated(table.summary.tasks[0].name)}" if lone else "On the average task"
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{place}, accuracy moves from the worst wording to the best by {joined}."


def _range_interval(robustness: Robustness | None, group: str) -> tuple[float, float] | None:
    if robustness is None:
        return None
    row = robustness.tasks[0] if len(robustness.tasks) == 1 else robustness.overall
    found = row.groups[group].findings.get("range") if group in row.groups else None
    return None if found is None or found.low is None or found.high is None else (found.low, found.high)


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
            words += f" (95% interval {points(finding[0])} to {points(finding[1])})"
        sentences.append(
            f"{model} answers {percent(row.groups[first].mean)}% right with {isolated(first)} wordings and "
            f"{percent(row.groups[group].mean)}% with {isolated(group)} ones: {words}."
        )
    return sentences


def _difference(robustness: Robustness | None, group: str) -> tuple[float, float] | None:
    if robustness is None:
        return None
    row = robustness.tasks[0] if len(robustness.tasks) == 1 else robustness.overall
    found = row.differences.get(group)
    if found is None or found.low is None or found.high is None:
        return None
    return found.low, found.high


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
    own: list[float] = []
    for task in dict.fromkeys(ranking.task for ranking in rankings):
        scores = [w.score for ranking in rankings if ranking.task == task for w in ranking.wordings]
        mine = [score.mean_score for score in scores if score.instruction == current]
        if mine:
            own.append(mine[0])
            lost.append((max(score.mean_score for score in scores) - mine[0], task))
    if not own:
        return ""
    most, task = max(lost)
    tail = (
        "no other wording does better on any task"
        if most == 0
        else f"the best wording does up to {percent(most)} points better (on {isolated(task)})"
    )
    mean = sum(own) / len(own)
    return f"The current wording, {isolated(current)}, gets {percent(mean)}%; {tail}."
