"""What ways to reduce the spread gain on each task, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.analysis.reductions.judging import JudgedTask, JudgedWay
from phraseproof.analysis.reductions.ways import Access
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.intervals import Interval, intervals
from phraseproof.scoring.accuracy import METRIC as ACCURACY

MOST_TASKS = 12


def reductions(tasks: Sequence[JudgedTask], *, title: str) -> Chart:
    """A row for each task, a lane in it for each way that needs no labelled examples.

    Args:
        tasks: at least one; the first `MOST_TASKS` are drawn.
    """
    shown = tasks[:MOST_TASKS]
    marks = [
        Interval(task.task, way.way.name, *(100 * each for each in (way.gain.estimate, way.gain.low, way.gain.high)))
        for task in shown
        for way in drawn_ways(task)
    ]
    described = [
        f"{task.task}: "
        + ", ".join(f"{way.way.name} {100 * way.gain.estimate:+.1f} points" for way in drawn_ways(task))
        for task in shown
    ]
    return intervals(
        marks,
        title=title,
        description=printable(f"{title}. {'. '.join(described)}."),
        metric=ACCURACY,
        differences=True,
    )


def drawn_ways(task: JudgedTask) -> list[JudgedWay]:
    """The ways without labels that use all that is known of an answer."""
    others = task.ways[1:]
    known = Access.LOGPROBS if any(way.way.access is Access.LOGPROBS for way in others) else Access.TEXT
    return [way for way in others if way.way.access is known and not way.way.needs_labels]
