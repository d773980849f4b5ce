"""Distances between wordings, as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from phraseproof.reports.build.numbers import (
    NO_DATA,
    difference_in_unit,
    difference_unit,
    p_value,
    short_difference_unit,
)
from phraseproof.reports.build.representations import category_distances
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import results_json
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.registry import metric
from phraseproof.store.representations import Regression, RepresentationMap, TaskDistance

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultTable
    from phraseproof.scoring.metric import Metric


def as_text(found: RepresentationMap, screen: Screen) -> str:
    """One row per task, the means of categories with several tasks, and the regressions as sentences."""
    shown_in = metric(found.metric)
    has_before = any(task.before is not None for task in found.tasks)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column(overflow="fold", min_width=14)
    headings = ["distance", *(["before"] if has_before else []), shown_in.name, "wordings", "examples"]
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for task in found.tasks:
        table.add_row(Text(printable(_name(task, found.tasks))), *_cells(task, shown_in, has_before=has_before))
    averaged = category_distances(found)
    if averaged:
        table.add_section()
    for row in averaged:
        table.add_row(Text(printable(row.task)), *_cells(row, shown_in, has_before=has_before), style="bold")
    legend = (
        f"distance: mean l2 to the nearest wording of the group {found.reference}{found.of_layer}; "
        f"{shown_in.name}: {difference_unit(shown_in)} above (below) the mean of {found.reference}"
    )
    lines = [legend, *_sentences(found, shown_in)]
    shown: list[RenderableType] = [Text(printable(line), style="dim" if line is legend else "") for line in lines]
    return print_blocks([table, *shown], screen)


def as_json(found: RepresentationMap, results: ResultTable) -> str:
    """Distances, means and regressions as one JSON object; fractions and distances in full precision.

    Args:
        results: the same findings as rows, in the metric's unit.
    """
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
        "metric": found.metric,
        "results": results_json(results),
    }
    return render_document(content, indent=1)


def _name(task: TaskDistance, tasks: Sequence[TaskDistance]) -> str:
    several = len({row.num_fewshot for row in tasks}) > 1
    return f"{task.task}, {task.num_fewshot}-shot" if several else task.task


def _cells(row: TaskDistance, metric: Metric, *, has_before: bool) -> list[str]:
    return [
        f"{row.distance:.2f}",
        *([NO_DATA if row.before is None else f"{row.before:.2f}"] if has_before else []),
        NO_DATA if row.degradation is None else difference_in_unit(row.degradation, metric),
        str(row.num_wordings),
        f"{row.num_examples:,}",
    ]


def _sentences(found: RepresentationMap, metric: Metric) -> list[str]:
    if all(distance.accuracy is None for distance in found.distances):
        why = "this folder has no accuracies of these wordings; phraseproof evaluate with the same --out adds them"
    else:
        why = found.regression_reason
    lines = [
        f"Over {found.regression.n} wordings: {_sentence(found.regression, metric)}"
        if found.regression
        else f"No regression of {metric.name} on distance: {why}"
    ]
    if found.task_regression:
        lines.append(f"Over {found.task_regression.n} tasks: {_sentence(found.task_regression, metric)}")
    if changed := [task for task in found.tasks if task.before is not None]:
        nearer = sum(task.distance < (task.before or 0.0) for task in changed)
        lines.append(f"Nearer than before in {nearer} of {len(changed)} tasks")
    return lines


def _sentence(line: Regression, metric: Metric) -> str:
    unit = f"{short_difference_unit(metric)} of {metric.name}" if metric.unit else f"of {metric.name}"
    return (
        f"{line.slope:+.3g} {unit} for each unit of distance "
        f"(95% interval {line.slope_low:+.3g} to {line.slope_high:+.3g}, {p_value(line.p_value)}, "
        f"R² = {line.r_squared:.3f})"
    )
