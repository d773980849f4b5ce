"""A comparison as JSON. Keys are stable and described in docs/report.md; numbers are in full precision,
in the metric's unit, which is percent for accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from phraseproof.analysis.paired import WordingComparison
from phraseproof.analysis.result_rows import scaled
from phraseproof.analysis.robustness import MeanDifference
from phraseproof.core import Finding
from phraseproof.reports.build.compare import ComparisonReport, Side
from phraseproof.reports.build.results import comparison_results
from phraseproof.reports.format.answers_json import answers_json
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import results_json

FORMAT_VERSION = 1


def render(comparisons: Sequence[ComparisonReport]) -> str:
    """`{"format_version", "comparisons": [...], "results": {"rows": [...], "notes": [...]}}`."""
    document = {
        "format_version": FORMAT_VERSION,
        "comparisons": [_comparison(found) for found in comparisons],
        "results": results_json(comparison_results(comparisons)),
    }
    return render_document(document)


def _comparison(found: ComparisonReport) -> dict[str, object]:
    return {
        "before": _side(found.before, found),
        "after": _side(found.after, found),
        "num_fewshot": found.num_fewshot,
        "rows": [_line(line, found.metric.scale) for line in found.lines],
        "over_tasks": [{"group": each.name, **_finding(each, found.metric.scale)} for each in found.over_tasks],
        "wordings": [_wording(each, found.metric.scale) for each in found.wordings],
        "settings_that_differ": [each._asdict() for each in found.differing],
        "notes": [*found.answers, *found.notes],
        "metric": found.metric.name,
        "unit": found.metric.unit,
    }


def _side(side: Side, found: ComparisonReport) -> dict[str, object]:
    half = side.half_precision
    return {
        "path": side.path,
        "model": side.model,
        "half_precision": None if half is None else asdict(half),
        "settings": side.settings or None,
        "answers": answers_json(found.compared(side)),
    }


def _line(line: MeanDifference, scale: float) -> dict[str, object]:
    return {
        "level": line.level.value,
        "name": line.name,
        "group": line.group or None,
        "before_percent": scale * line.before,
        "after_percent": scale * line.after,
        **_finding(line.finding, scale),
    }


def _wording(each: WordingComparison, scale: float) -> dict[str, object]:
    return {
        "task": each.task,
        "category": each.category,
        "group": each.group,
        "instruction": each.instruction,
        "before_percent": scale * each.before,
        "after_percent": scale * each.after,
        **_finding(each.finding, scale),
        "p_holm": each.p_holm,
        "why_not": each.why_not,
    }


def _finding(finding: Finding | None, scale: float) -> dict[str, object]:
    return {
        "difference_percentage_points": scale * finding.estimate if finding else None,
        "interval_low_percentage_points": scaled(finding.low, scale) if finding else None,
        "interval_high_percentage_points": scaled(finding.high, scale) if finding else None,
        "p_value": finding.p_value if finding else None,
        "n": finding.n if finding else None,
        "method": finding.method if finding else None,
    }
