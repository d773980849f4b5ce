"""Components of variance in every format."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.analysis.facets.effort import Effort
from phraseproof.analysis.facets.result_rows import std_finding
from phraseproof.analysis.facets.run import RunFacets, TaskFacets
from phraseproof.analysis.facets.sentence import effort_sentence
from phraseproof.reports.build.facets import FacetsReport, facets_results
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import render_results, results_json
from phraseproof.reports.format.tables import Rendered, TableFormat

FORMAT_VERSION = 1


def render(reports: Sequence[FacetsReport], form: TableFormat, *, screen: Screen | None = None) -> Rendered:
    """Write the components of one or several runs.

    Args:
        reports: of runs.
        form: as for tables.
        screen: where text is shown; 100 columns without colour by default.
    """
    if form is TableFormat.TEXT:
        from phraseproof.reports.format.facets_text import render as render_text

        return Rendered(render_text(reports, screen or Screen()), ())
    table = facets_results(reports)
    if form is not TableFormat.JSON:
        return render_results(table, form)
    document = {
        "format_version": FORMAT_VERSION,
        "runs": [
            {
                "run": report.path,
                "model": report.model,
                "scoring": report.scoring,
                "settings": report.settings or None,
                "metric": report.metric.name,
                "facets": facets_json(report.facets),
            }
            for report in reports
        ],
        "results": results_json(table),
    }
    return Rendered(render_document(document), ())


def facets_json(found: RunFacets) -> dict[str, object]:
    """The components of a run, as scores are stored: fractions, not percent. Described in docs/few-shot.md."""
    return {
        "tasks": [_task(task) for task in found.tasks],
        "why_not": found.reason or None,
        "tasks_without": [
            {"task": each.task, "num_fewshot": each.num_fewshot, "group": each.group, "why_not": each.why}
            for each in found.without
        ],
    }


def _task(task: TaskFacets) -> dict[str, object]:
    design = task.design
    return {
        "task": design.task,
        "category": design.category,
        "num_fewshot": design.num_fewshot,
        "group": design.group,
        "sentence": effort_sentence(task),
        "levels": design.levels,
        "left_out": design.left_out or None,
        "mean": task.mean,
        "components": [
            {
                "facets": list(facets),
                "variance": found.estimate,
                "low": found.low,
                "high": found.high,
                "share": found.estimate / task.total if task.total > 0 else 0.0,
                "std": std_finding(found).estimate,
                "method": found.method,
            }
            for facets, found in task.components.items()
        ],
        "spreads": [spread._asdict() for spread in task.spreads],
        "effort": {
            "now": _effort(task.now),
            "twice": {name: _effort(twice) for name, twice in task.doubled.items()},
            "best_for_as_many_prompts": _effort(task.best),
        },
    }


def _effort(found: Effort) -> dict[str, object]:
    return {
        "levels": dict(found.levels),
        "prompts": found.prompts,
        "standard_error_of_mean": found.mean,
        "standard_error_of_wording": found.wording,
    }
