"""A reduction as a result table and as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.reductions.gains import CONFIDENCE, Gain
from phraseproof.analysis.reductions.judging import FOLDS, SPLITS, JudgedTask, JudgedWay
from phraseproof.analysis.reductions.recommendation import constant_name, recommend
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import results_json
from phraseproof.reports.format.terminal import print_blocks

if TYPE_CHECKING:
    from phraseproof.reduction.reduce import Reduction

_HERE = f"{FOLDS} folds, Student's t over examples, for all ways at once"
_ELSEWHERE = f"{SPLITS} splits into halves, Student's t over examples and wordings, for all ways at once"
_WIDE = 100
FORMAT_VERSION = 1


def reduction_table(reduction: Reduction) -> ResultTable:
    """Return a row for every way, task and statistic; the recommendations are among the notes.

    Statistics are `accuracy`, `gain`, `gain with other wordings`, `std`, `worst` and `calls`, each followed by a colon
    and the way's name.
    """
    rows = tuple(row for task in _tasks(reduction) for row in _rows(reduction, task))
    return ResultTable(rows, tuple(_sentences(reduction)))


def reduction_text(reduction: Reduction, screen: Screen) -> str:
    """Return what was tried, and what is recommended, for people."""
    return print_blocks(_blocks(reduction, screen), screen)


def reduction_json(reduction: Reduction) -> str:
    """Return one document with the rows of `reduction_table` and its notes."""
    return render_document({"format_version": FORMAT_VERSION, **results_json(reduction_table(reduction))})


def _blocks(reduction: Reduction, screen: Screen) -> Iterator[RenderableType]:
    yield _line(
        f"{reduction.run}, {reduction.scoring}. Every way is scored on examples that it was not fitted on. Gains have "
        f"{CONFIDENCE:.0%} intervals that hold for all ways at once. * needs labelled examples."
    )
    for task in _tasks(reduction):
        shots = f", {task.num_fewshot}-shot" if task.num_fewshot else ""
        yield Text()
        yield _line(
            f"{task.task}{shots}: {task.wordings} wordings, {task.examples} examples. Blind guessing gets "
            f"{100 * task.chance:.1f}%, {constant_name(task)} {100 * task.majority:.1f}%."
        )
        yield Text()
        yield from _tables(task, screen)
        yield Text()
        found = recommend(task)
        yield _line(f"=> {found.sentence}")
        yield from (_line(each) for each in (*found.remarks, _confirmed(reduction, task)) if each)
    if reduction.trained is not None:
        yield Text()
        yield _line(_trained(reduction))
    yield from (_line(f"Note: {note}") for note in reduction.notes)


def _line(text: str) -> Text:
    return Text(printable(text))


def _tasks(reduction: Reduction) -> list[JudgedTask]:
    return [*reduction.tasks, *([reduction.overall] if reduction.overall else [])]


def _tables(task: JudgedTask, screen: Screen) -> Iterator[RenderableType]:
    """One table; on narrow screens the gains with other wordings are a second one."""
    headings = ["way", "calls", "%", "gain", "gain elsewhere", "spread", "worst"]
    cells = [_cells(way, is_base=place == 0) for place, way in enumerate(task.ways)]
    wide = [list(range(len(headings)))]
    for number, columns in enumerate(wide if screen.width >= _WIDE else ([0, 1, 2, 3, 5, 6], [0, 4])):
        if number:
            yield Text()
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
        for column in columns:
            table.add_column(headings[column], justify="right" if column else "left", no_wrap=bool(column))
        for row in cells:
            table.add_row(*(row[column] for column in columns))
        yield table


def _cells(way: JudgedWay, *, is_base: bool) -> list[str]:
    return [
        f"{way.way.name}{' *' if way.way.needs_labels else ''}",
        str(way.calls),
        f"{100 * way.accuracy:.1f}",
        "" if is_base else _interval(way.gain),
        "" if is_base else _interval(way.gain_elsewhere),
        f"{100 * way.spread:.1f}",
        f"{100 * way.worst:.1f}",
    ]


def _interval(gain: Gain) -> str:
    return f"{100 * gain.estimate:+.1f} ({100 * gain.low:.1f} to {100 * gain.high:.1f})"


def _sentences(reduction: Reduction) -> Iterator[str]:
    for task in _tasks(reduction):
        found = recommend(task)
        for sentence in (found.sentence, *found.remarks, _confirmed(reduction, task)):
            if sentence:
                yield f"{task.task}: {sentence}"
    if reduction.trained is not None:
        yield _trained(reduction)
    yield from reduction.notes


def _confirmed(reduction: Reduction, task: JudgedTask) -> str:
    """The result on the examples that were set aside; empty where there are none."""
    found = reduction.confirmed.get((task.task, task.num_fewshot))
    if found is None:
        return ""
    return (
        f"On {found.examples} examples that were set aside: from {100 * found.before:.1f} to {100 * found.after:.1f}%, "
        f"{100 * found.gain:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f})."
    )


def _trained(reduction: Reduction) -> str:
    assert reduction.trained is not None, "the caller asks only then"
    gain = reduction.trained.gain
    interval = "" if gain.low is None or gain.high is None else f" ({100 * gain.low:.1f} to {100 * gain.high:.1f})"
    return (
        f"Trained adapter, on {len(reduction.trained.held_out)} wordings and examples that training never saw: from "
        f"{100 * reduction.trained.before:.1f} to {100 * reduction.trained.after:.1f}%, a gain of "
        f"{100 * gain.estimate:+.1f} points{interval}. Its interval holds for it alone. {reduction.trained.folder}"
    )


def _rows(reduction: Reduction, task: JudgedTask) -> Iterator[ResultRow]:
    is_overall = task is reduction.overall

    def row(statistic: str, estimate: float, unit: str, method: str, gain: Gain | None = None) -> ResultRow:
        low, high = (None, None) if gain is None else (100 * gain.low, 100 * gain.high)
        return ResultRow(
            run=str(reduction.run),
            num_fewshot=task.num_fewshot,
            scoring=reduction.scoring,
            level=Level.OVERALL if is_overall else Level.TASK,
            category=task.category,
            task="" if is_overall else task.task,
            statistic=statistic,
            estimate=estimate,
            low=low,
            high=high,
            n=task.examples,
            method=method,
            unit=unit,
        )

    for place, way in enumerate(task.ways):
        name = way.way.name
        yield row(f"accuracy: {name}", 100 * way.accuracy, "%", f"{FOLDS} folds of examples")
        if place:
            yield row(f"gain: {name}", 100 * way.gain.estimate, "points", _HERE, way.gain)
            elsewhere = way.gain_elsewhere
            yield row(f"gain with other wordings: {name}", 100 * elsewhere.estimate, "points", _ELSEWHERE, elsewhere)
        yield row(f"std: {name}", 100 * way.spread, "%", "over wordings, or over halves of them")
        yield row(f"worst: {name}", 100 * way.worst, "%", "of wordings, or of halves of them")
        yield row(f"calls: {name}", way.calls, "", "per answer")
