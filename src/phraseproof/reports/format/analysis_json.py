"""An analysis as JSON. Keys are stable and described in docs/statistics.md; fractions are fractions, not percent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from phraseproof.analysis.answer_quality import GroupQuality
from phraseproof.analysis.position_bias import PositionBias
from phraseproof.analysis.scaling import Scaling
from phraseproof.analysis.statistics import GroupStatistics, StatisticsRow
from phraseproof.core import Finding
from phraseproof.reports.build.quality import CONSISTENCY, RunQuality, consistency
from phraseproof.reports.build.results import analysis_results
from phraseproof.reports.build.run_analysis import NotEstimable, RunAnalysis
from phraseproof.reports.format.answers_json import answers_json
from phraseproof.reports.format.causes import causes_json, scorers_json
from phraseproof.reports.format.facets import facets_json
from phraseproof.reports.format.json_document import render_document
from phraseproof.reports.format.results import results_json

FORMAT_VERSION = 1


def render(analyses: Sequence[RunAnalysis], scaling: Scaling | None = None) -> str:
    """`{"format_version", "analyses": [...], "scaling", "results": {"rows": [...], "notes": [...]}}`."""
    document = {
        "format_version": FORMAT_VERSION,
        "analyses": [_analysis(each) for each in analyses],
        "scaling": None if scaling is None else _scaling(scaling),
        "results": results_json(analysis_results(analyses)),
    }
    return render_document(document)


def _analysis(found: RunAnalysis) -> dict[str, object]:
    robustness = found.robustness
    return {
        "run": found.path,
        "model": found.model,
        "num_fewshot": found.num_fewshot,
        "groups": list(robustness.groups),
        "reference_group": robustness.groups[0],
        "tasks": [_row(row, found.quality) for row in robustness.tasks],
        "categories": [_row(row, found.quality) for row in robustness.categories],
        "overall": _row(robustness.overall, found.quality),
        "quality_why_not": found.quality.reason or None,
        "tests": [
            {
                "group": test.group,
                "reference_group": test.reference,
                "over_wordings": _finding(test.over_wordings),
                "over_tasks": _finding(test.over_tasks),
                "permutation": _finding(test.permutation),
                "equivalence": _not_estimable(test.equivalence)
                if isinstance(test.equivalence, NotEstimable)
                else {
                    "margin": test.equivalence.margin,
                    "p_value": test.equivalence.p_value,
                    "word": test.equivalence.word.value,
                },
            }
            for test in found.tests
        ],
        "verdicts": [
            {
                "task": result.task,
                "group": result.group,
                "relation": result.relation.value,
                "reference_group": result.reference,
                "word": result.word.value,
                "reason": result.reason,
                "difference": None if result.finding is None else _finding(result.finding),
                "over_tasks": None if result.over_tasks is None else _finding(result.over_tasks),
            }
            for result in found.control_results
        ],
        "variances": [
            {
                "group": each.group,
                **(
                    _not_estimable(each.components)
                    if isinstance(each.components, NotEstimable)
                    else each.components._asdict()
                ),
                "sizes": [size._asdict() for size in each.sizes],
            }
            for each in found.variances
        ],
        "mixed_effects": [
            {
                "task": each.task,
                "group": each.group,
                **(_not_estimable(each.shares) if isinstance(each.shares, NotEstimable) else each.shares._asdict()),
            }
            for each in found.mixed
        ],
        "against": [
            {
                "task": each.task,
                **(
                    _not_estimable(each.tests)
                    if isinstance(each.tests, NotEstimable)
                    else {
                        "wordings": [
                            {
                                "instruction": test.instruction,
                                "group": test.group,
                                "difference": _finding(test.finding),
                                "p_holm": test.p_holm,
                            }
                            for test in each.tests
                        ]
                    }
                ),
            }
            for each in found.against
        ],
        "half_precision": None if found.half_precision is None else asdict(found.half_precision),
        "answers": answers_json(found.answers),
        "causes": causes_json(found.causes),
        "scorings": scorers_json(found.scorers),
        "facets": facets_json(found.facets),
        "position_bias": None if found.position_bias is None else _position_bias(found.position_bias),
        "settings": found.settings or None,
        "notes": list(found.notes),
    }


def _row(row: StatisticsRow, quality: RunQuality) -> dict[str, object]:
    measured = quality.find(row.level, row.name)
    return {
        "name": row.name,
        "level": row.level.value,
        "category": row.category or None,
        "groups": {
            group: _statistics(statistics, None if measured is None else measured.groups.get(group))
            for group, statistics in row.groups.items()
        },
        "differences": {group: _finding(finding) for group, finding in row.differences.items()},
        "why_not": dict(row.why_not),
    }


def _statistics(found: GroupStatistics, quality: GroupQuality | None) -> dict[str, object]:
    return {
        "statistics": {name: _finding(finding) for name, finding in found.findings.items()},
        "quality": _quality(found, quality),
        "why_not": dict(found.why_not),
    }


def _quality(found: GroupStatistics, quality: GroupQuality | None) -> dict[str, object]:
    """By measure its mean over wordings, and its standard deviation over them."""
    findings = {} if quality is None else dict(quality.findings)
    if "pairwise_flips" in found.findings:
        findings[CONSISTENCY] = consistency(found.findings["pairwise_flips"])
    return {
        name: {**_finding(finding), "std": None if quality is None else quality.stds.get(name)}
        for name, finding in findings.items()
    }


def _position_bias(found: PositionBias) -> dict[str, object]:
    shares = {"disagreement": found.disagreement, "first_place": found.first_place}
    return {**found._asdict(), **{name: None if each is None else _finding(each) for name, each in shares.items()}}


def _finding(found: Finding | NotEstimable) -> dict[str, object]:
    if isinstance(found, NotEstimable):
        return _not_estimable(found)
    return {
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "standard_error": found.standard_error,
        "degrees_of_freedom": found.degrees_of_freedom,
        "n": found.n,
        "method": found.method,
    }


def _not_estimable(found: NotEstimable) -> dict[str, object]:
    return {"why_not": found.reason}


def _scaling(found: Scaling) -> dict[str, object]:
    return {
        "per_tenfold": found.per_tenfold,
        "slope": _finding(found.slope),
        "intercept": found.intercept,
        "r_squared": found.r_squared,
        "points": [point._asdict() for point in found.points],
    }
