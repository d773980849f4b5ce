"""A reduction as a result table and as text."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.reductions.judging import CONFIDENCE, FOLDS, SPLITS, Gain, JudgedTask, JudgedWay
from phraseproof.analysis.reductions.recommendation import Recommendation, constant_name, recommend
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.reports.build.text import printable

if TYPE_CHECKING:
    from phraseproof.reduction.reduce import Reduction

_HERE = f"{FOLDS} folds, Student's t over examples, for all ways at once"
_ELSEWHERE = f"{SPLITS} splits into halves, Student's t over examples and wordings, for all ways at once"
_WIDE = 100


def reduction_table(reduction: Reduction) -> ResultTable:
    """Return a row for every way, task and statistic; the recommendations are among the notes.

    Statistics are `accuracy`, `gain`, `gain with other wordings`, `std`, `worst` and `calls`, each followed by a colon
    and the way's name.
    """
    rows = tuple(row for task in _tasks(reduction) for row in _rows(reduction, task))
    return ResultTable(rows, tuple(_sentences(reduction)))


def reduction_text(reduction: Reduction, *, width: int = _WIDE) -> str:
    """Return what was tried, and what is recommended, for people.

    Args:
        reduction: as `reduce` returns it.
        width: the columns of the terminal; on narrow ones the gains with other wordings are a separate table.
    """
    heading = (
        f"{printable(str(reduction.run))}, {reduction.scoring}. Every way is scored on examples that it was not fitted "
        f"on. Gains have {CONFIDENCE:.0%} intervals that hold for all ways at once. * needs labelled examples."
    )
    lines = [*wrap(heading, width), ""]
    for task in _tasks(reduction):
        lines += [*_block(task, width), "", *_recommended(recommend(task), width)]
        lines += [*wrap(_confirmed(reduction, task), width, initial_indent="   ", subsequent_indent="   "), ""]
    if reduction.trained is not None:
        lines += [*wrap(_trained(reduction), width), ""]
    lines += [line for note in reduction.notes for line in wrap(f"Note: {note}", width)]
    return "\n".join(lines).rstrip() + "\n"


def _tasks(reduction: Reduction) -> list[JudgedTask]:
    return [*reduction.tasks, *([reduction.overall] if reduction.overall else [])]


def _block(task: JudgedTask, width: int) -> list[str]:
    shots = f", {task.num_fewshot}-shot" if task.num_fewshot else ""
    sentence = (
        f"{printable(task.task)}{shots}: {task.wordings} wordings, {task.examples} examples. Blind guessing gets "
        f"{100 * task.chance:.1f}%, {printable(constant_name(task))} {100 * task.majority:.1f}%."
    )
    heading = wrap(sentence, width)
    headings = ["way", "calls", "%", "gain", "gain, other wordings", "spread", "worst"]
    cells = [_cells(way, is_base=place == 0) for place, way in enumerate(task.ways)]
    if width >= _WIDE:
        return [*heading, "", *_aligned(headings, cells)]
    parts = ([0, 1, 2, 3, 5, 6], [0, 4])
    tables = [_aligned([headings[n] for n in part], [[row[n] for n in part] for row in cells]) for part in parts]
    return [*heading, "", *tables[0], "", *tables[1]]


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


def _aligned(headings: list[str], cells: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    lines: list[str] = []
    for row in (headings, *cells):
        first, *others = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join([first, *others]).rstrip())
    return lines


def _recommended(found: Recommendation, width: int) -> list[str]:
    lines = wrap(f"=> {found.sentence}", width, subsequent_indent="   ")
    return [*lines, *(line for each in found.remarks for line in wrap(f"   {each}", width, subsequent_indent="   "))]


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
            group="",
            wording="",
            statistic=statistic,
            estimate=estimate,
            low=low,
            high=high,
            p_value=None,
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
