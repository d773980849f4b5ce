"""What reduces the spread over wordings without training, as a section of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from phraseproof.analysis.reductions.gains import Gain
from phraseproof.analysis.reductions.judging import JudgedTask, JudgedWay
from phraseproof.analysis.reductions.recommendation import constant_name, recommend
from phraseproof.analysis.reductions.run import RunReductions
from phraseproof.analysis.reductions.ways import Access
from phraseproof.reports.build.numbers import difference_in_unit, share_in_percent
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.reductions import MOST_TASKS, reductions
from phraseproof.reports.html.statistics import StatisticsCell
from phraseproof.scoring.accuracy import METRIC as ACCURACY

MOST_VALUES: Final = 2_000_000
"""Values of options (wordings x examples x options) up to which the section is computed: about ten seconds."""


class ReductionLine(NamedTuple):
    """A task and what is recommended on it, or why nothing is."""

    task: str
    text: str


class WayRow(NamedTuple):
    """One way in a task's table.

    Attributes:
        is_recommended: whether the recommendation names it.
        cells: calls, accuracy, gain, gain with other wordings, Std, worst.
    """

    name: str
    needs_labels: bool
    is_recommended: bool
    cells: tuple[StatisticsCell, ...]


class WayTable(NamedTuple):
    """All ways on one task, or their means over tasks.

    Attributes:
        caption: how many wordings and examples, and what answers without skill get.
    """

    task: str
    caption: str
    rows: tuple[WayRow, ...]


class ReductionsView(NamedTuple):
    """The section.

    Attributes:
        overall: what is recommended where one way is used on all tasks; empty of a lone task.
        recommended: tasks with a recommended way.
        others: tasks on which nothing is recommended.
        chart: of the gains.
        has_logprobs: whether ways that need log-probabilities are among them.
        table: of the mean over tasks, or of the lone task.
        by_task: a table for each of several tasks.
        notes: what to know of the wordings, and why tasks are missing.
    """

    overall: str
    recommended: tuple[ReductionLine, ...]
    others: tuple[ReductionLine, ...]
    chart: Chart
    has_logprobs: bool
    table: WayTable
    by_task: tuple[WayTable, ...]
    notes: tuple[str, ...]


def reductions_view(found: RunReductions, note: str = "") -> ReductionsView | None:
    """The section of a run at one number of demonstrations; `None` where no task could be judged.

    Args:
        note: what to know of the wordings; may be empty.
    """
    if not found.tasks:
        return None
    notes = tuple(map(printable, filter(None, (note, *found.notes))))
    over = found.overall
    helped, others = ([task for task in found.tasks if (recommend(task).way is None) == is_other]
                      for is_other in (False, True))  # fmt: skip
    ordered = [*([over] if over else []), *helped, *others]
    title = "Gain over one wording as it is, of the ways that need no labelled examples"
    if len(ordered) > MOST_TASKS:
        title += f" (the first {MOST_TASKS} of {len(ordered)} rows)"
    return ReductionsView(
        _line(over).text if over else "",
        tuple(map(_line, helped)),
        tuple(map(_line, others)),
        reductions(ordered, title=title),
        any(way.way.access is Access.LOGPROBS for way in ordered[0].ways),
        _table(ordered[0], tasks=len(found.tasks)),
        tuple(_table(task) for task in found.tasks) if over else (),
        notes,
    )


def _line(task: JudgedTask) -> ReductionLine:
    found = recommend(task)
    return ReductionLine(printable(task.task), printable(" ".join((found.sentence, *found.remarks))))


def _table(task: JudgedTask, *, tasks: int = 1) -> WayTable:
    recommended = recommend(task).way
    several = f"{tasks} tasks, up to " if tasks > 1 else ""
    guessing = f"Blind guessing gets {share_in_percent(task.chance)}%"
    constant = f"{constant_name(task)} gets" if task.majority_class else f"{constant_name(task)} get"
    return WayTable(
        printable(task.task),
        printable(
            f"{several}{task.wordings} wordings, {task.examples:,} examples. {guessing}, "
            f"{constant} {share_in_percent(task.majority)}%."
        ),
        tuple(
            WayRow(way.way.name, way.way.needs_labels, way.way.name == recommended, _cells(way, is_base=place == 0))
            for place, way in enumerate(task.ways)
        ),
    )


def _cells(way: JudgedWay, *, is_base: bool) -> tuple[StatisticsCell, ...]:
    gains: Sequence[Gain] = () if is_base else (way.gain, way.gain_elsewhere)
    return (
        StatisticsCell(str(way.calls)),
        StatisticsCell(share_in_percent(way.accuracy)),
        *((_gain(each) for each in gains) if gains else (StatisticsCell(""),) * 2),
        StatisticsCell(share_in_percent(way.spread)),
        StatisticsCell(share_in_percent(way.worst)),
    )


def _gain(gain: Gain) -> StatisticsCell:
    estimate, low, high = (difference_in_unit(each, ACCURACY) for each in (gain.estimate, gain.low, gain.high))
    return StatisticsCell(estimate, f"{low} to {high}")
