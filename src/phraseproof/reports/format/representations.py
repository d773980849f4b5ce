"""Distances between wordings, as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.reports.build.run_tables import NO_DATA, Screen, p_value, points, printable
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.store.representations import Regression, RepresentationMap, TaskDistance


def as_text(found: RepresentationMap, screen: Screen) -> str:
    """One row per task, the means of categories with several tasks, and the regressions as sentences."""
    has_before = any(task.before is not None for task in found.tasks)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(overflow="fold", min_width=14)
    headings = ["distance", *(["before"] if has_before else []), "accuracy", "wordings", "examples"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for task in found.tasks:
        table.add_row(Text(printable(_name(task, found.tasks))), *_cells(task, has_before=has_before))
    categories = [_category(name, found) for name in dict.fromkeys(task.category for task in found.tasks)]
    averaged = [row for row in categories if row is not None]
    if averaged:
        table.add_section()
    for row in averaged:
        table.add_row(Text(printable(row.task)), *_cells(row, has_before=has_before), style="bold")
    legend = (
        f"distance: mean l2 to the nearest wording of the group {found.reference}; "
        f"accuracy: percentage points above (below) the mean of {found.reference}"
    )
    lines = [legend, *_sentences(found)]
    shown: list[RenderableType] = [Text(printable(line), style="dim" if line is legend else "") for line in lines]
    return print_blocks([table, *shown], screen)


def as_json(found: RepresentationMap) -> str:
    """Distances, means and regressions as one JSON object; fractions and distances in full precision."""
    content = {
        "reference": found.reference,
        "tasks": [task._asdict() for task in found.tasks],
        "wordings": [distance._asdict() for distance in found.distances],
        "regression": found.regression._asdict() if found.regression else None,
        "task_regression": found.task_regression._asdict() if found.task_regression else None,
        "regression_reason": found.regression_reason,
        "points": len(found.points),
        "settings": found.settings,
        "notes": found.notes,
    }
    return render_document(content, indent=1)


def _name(task: TaskDistance, tasks: Sequence[TaskDistance]) -> str:
    several = len({row.num_fewshot for row in tasks}) > 1
    return f"{task.task}, {task.num_fewshot}-shot" if several else task.task


def _cells(row: TaskDistance, *, has_before: bool) -> list[str]:
    return [
        f"{row.distance:.2f}",
        *([NO_DATA if row.before is None else f"{row.before:.2f}"] if has_before else []),
        NO_DATA if row.degradation is None else points(row.degradation),
        str(row.num_wordings),
        f"{row.num_examples:,}",
    ]


def _category(name: str, found: RepresentationMap) -> TaskDistance | None:
    """The mean of a category's tasks; nothing where it has one only, or tasks at several numbers of demonstrations.

    A wording that serves several of the tasks counts once.
    """
    members = [task for task in found.tasks if task.category == name]
    if len(members) < 2 or len({task.num_fewshot for task in members}) > 1:
        return None
    before = [task.before for task in members if task.before is not None]
    degradation = [task.degradation for task in members if task.degradation is not None]
    return TaskDistance(
        name,
        name,
        members[0].num_fewshot,
        distance=fmean(task.distance for task in members),
        before=fmean(before) if len(before) == len(members) else None,
        degradation=fmean(degradation) if len(degradation) == len(members) else None,
        num_wordings=len({row.instruction for row in found.distances if row.category == name}),
        num_examples=sum(task.num_examples for task in members),
    )


def _sentences(found: RepresentationMap) -> list[str]:
    if all(distance.accuracy is None for distance in found.distances):
        why = "no accuracies of these wordings lie in this folder; phraseproof evaluate with the same --out adds them"
    else:
        why = found.regression_reason
    lines = [
        f"Over {found.regression.n} wordings: {_sentence(found.regression)}"
        if found.regression
        else f"No regression of accuracy on distance: {why}"
    ]
    if found.task_regression:
        lines.append(f"Over {found.task_regression.n} tasks: {_sentence(found.task_regression)}")
    if changed := [task for task in found.tasks if task.before is not None]:
        nearer = sum(task.distance < (task.before or 0.0) for task in changed)
        lines.append(f"Nearer than before in {nearer} of {len(changed)} tasks")
    return lines


def _sentence(line: Regression) -> str:
    return (
        f"{line.slope:+.3g} points of accuracy for each unit of distance "
        f"(95% interval {line.slope_low:+.3g} to {line.slope_high:+.3g}, {p_value(line.p_value)}, "
        f"R² = {line.r_squared:.3f})"
    )
