"""The result table of what commands show: the rows that Python calls return and that `--format csv` writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.causes.result_rows import cause_rows
from phraseproof.analysis.causes.scorer_rows import artefact_results, scorer_notes, scorer_rows
from phraseproof.analysis.estimators.task_estimates import over_tasks
from phraseproof.analysis.facets.result_rows import facet_notes, facet_rows
from phraseproof.analysis.result_rows import (
    Place,
    RowSource,
    answer_rows,
    baseline_rows,
    comparison_rows,
    estimate_rows,
    finding_row,
    scaling_rows,
    statistics_rows,
    summary_rows,
    wording_rows,
)
from phraseproof.analysis.results import WORDING, ResultRow, ResultTable
from phraseproof.core import Finding
from phraseproof.reports.build.answers import at_shots
from phraseproof.reports.build.causes import causes_notes
from phraseproof.reports.build.quality import quality_rows
from phraseproof.reports.build.run_analysis import NotEstimable
from phraseproof.reports.build.run_tables import task_tables
from phraseproof.reports.build.runs import EstimatedRun, TableSource
from phraseproof.scoring.accuracy import METRIC as ACCURACY

if TYPE_CHECKING:
    from phraseproof.analysis.scaling import Scaling
    from phraseproof.reports.build.compare import ComparisonReport
    from phraseproof.reports.build.run_analysis import RunAnalysis


def table_results(source: TableSource, *, by_wording: bool = False, group_order: Sequence[str] = ()) -> ResultTable:
    """What a run holds: mean and standard deviation over wordings, or the mean of each wording.

    Raises:
        NotEnoughDataError, RunError, UsageError: as `task_tables`.
    """
    if isinstance(source, EstimatedRun):
        rows = [row for row in _estimates(source) if (row.level == WORDING) == by_wording]
        return ResultTable((*rows, *_of_answers(source, by_wording=by_wording)), source.notes)
    tables = task_tables([source], group_order)
    if by_wording:
        rows = [row for score in source.scores for row in wording_rows([score], _of(source, score.num_fewshot))]
        notes = _once(note for table in tables for note in (*table.answer_lines, *source.notes))
        return ResultTable((*rows, *_of_answers(source, by_wording=True)), notes)
    rows = [row for table in tables for row in summary_rows(table.summary, _of(source, table.num_fewshot))]
    rows += _of_answers(source, by_wording=False)
    return ResultTable(tuple(rows), _once(note for table in tables for note in table.notes))


def analysis_results(analyses: Sequence[RunAnalysis], scaling: Scaling | None = None) -> ResultTable:
    """Every statistic of every analysis with its interval, and differences between groups with p-values.

    Tests of wordings against one, shares of mixed models, and the gap by the size of models follow where they were
    asked for.

    Args:
        scaling: of all analyses together, which then are in one metric; at least one analysis.
    """
    rows: list[ResultRow] = []
    notes: list[str] = []
    for found in analyses:
        source = RowSource(found.path, found.num_fewshot, found.scoring, found.metric)
        notes += found.notes
        rows += statistics_rows(found.robustness, source)
        if found.answers and found.metric.name == ACCURACY.name:
            rows += baseline_rows(found.answers, source)
        rows += quality_rows(found.quality, found.robustness, source)
        notes += found.quality.notes
        for task in found.causes.tasks:
            rows += cause_rows(task, source, by_wording=False)
        notes += causes_notes(found.causes)
        for compared in found.scorers.tasks:
            rows += scorer_rows(compared, found.path)
        rows += artefact_results(found.scorers, found.path)
        notes += scorer_notes(found.scorers)
        if found.facets.has_draws:
            for facets in found.facets.tasks:
                rows += facet_rows(facets, source)
            notes += facet_notes(found.facets)
        rows += _wording_tests(found, source)
        rows += _mixed_models(found, source)
        notes += _not_estimable(found)
    if scaling is not None:
        rows += scaling_rows(scaling, analyses[0].metric, analyses[0].scoring)
    return ResultTable(tuple(rows), _once(notes))


def comparison_results(comparisons: Iterable[ComparisonReport]) -> ResultTable:
    """Means before and after and their difference; rows name the later run."""
    rows: list[ResultRow] = []
    notes: list[str] = []
    for found in comparisons:
        later = found.after
        source = RowSource(later.path, found.num_fewshot, later.scoring, later.metric)
        rows += comparison_rows(found.lines, source)
        for each in found.over_tasks:
            place = Place(Level.OVERALL, "", "", each.name)
            rows.append(finding_row(source, place, "difference over tasks", each, source.difference_unit()))
        notes += (*found.answers, *found.sentences, found.settings_line, *found.notes)
    return ResultTable(tuple(rows), _once(notes))


def _of_answers(source: TableSource, *, by_wording: bool) -> Iterator[ResultRow]:
    for shots in dict.fromkeys(task.num_fewshot for task in source.answers):
        here = at_shots(source.answers, shots)
        if by_wording:
            yield from answer_rows(here, _of(source, shots))
        elif source.metric.name == ACCURACY.name:
            yield from baseline_rows(here, _of(source, shots))


def _wording_tests(found: RunAnalysis, source: RowSource) -> Iterator[ResultRow]:
    categories = {row.name: row.category for row in found.robustness.tasks}
    for against in found.against:
        if isinstance(against.tests, NotEstimable):
            continue
        for test in against.tests:
            place = Place(WORDING, categories.get(against.task, ""), against.task, test.group, test.instruction)
            method = f"{test.finding.method}; p after Holm's correction"
            finding = replace(test.finding, p_value=test.p_holm, method=method)
            yield finding_row(source, place, f"difference from {against.reference}", finding, source.difference_unit())


def _mixed_models(found: RunAnalysis, source: RowSource) -> Iterator[ResultRow]:
    categories = {row.name: row.category for row in found.robustness.tasks}
    for fitted in found.mixed:
        if isinstance(fitted.shares, NotEstimable):
            continue
        shares, method = fitted.shares, "mixed-effects logistic model, variational Bayes"
        place = Place(Level.TASK, categories.get(fitted.task, ""), fitted.task, fitted.group)
        for what in ("wording", "example", "interaction"):
            share = Finding(f"{what} share of log-odds variance", getattr(shares, what), shares.num_cells, method)
            yield finding_row(source, place, share.name, share, ("%", 100.0))
        spreads = (
            ("wording", shares.wording_std, shares.wording_low, shares.wording_high),
            ("example", shares.example_std, shares.example_low, shares.example_high),
        )
        for what, std, low, high in spreads:
            finding = Finding(f"std of {what}s", std, shares.num_cells, method, low, high)
            yield finding_row(source, place, finding.name, finding, ("log-odds", 1.0))


def _not_estimable(found: RunAnalysis) -> Iterator[str]:
    """The reasons why requested rows are missing."""
    for against in found.against:
        if isinstance(against.tests, NotEstimable):
            yield f"{against.task}: no tests against {against.reference}: {against.tests.reason}"
    for fitted in found.mixed:
        if isinstance(fitted.shares, NotEstimable):
            yield f"{fitted.task}, {fitted.group}: no mixed model: {fitted.shares.reason}"


def _estimates(source: EstimatedRun) -> Iterator[ResultRow]:
    for level, estimates in ((Level.TASK, source.estimates), (Level.CATEGORY, over_tasks(source.estimates))):
        for estimate in estimates:
            yield from estimate_rows([estimate], _of(source, estimate.num_fewshot), level=level)


def _of(source: TableSource, num_fewshot: int) -> RowSource:
    return RowSource(source.path, num_fewshot, source.scoring, source.metric)


def _once(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))
