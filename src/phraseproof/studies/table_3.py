"""`table-3`: accuracy under observed and unobserved wordings, per category and data set (Tables 3, 19, 21, 23, 25)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.result_rows import Place, finding_row
from phraseproof.analysis.results import ResultTable
from phraseproof.core import Finding
from phraseproof.reports.build.numbers import title_with_unit, value_in_unit
from phraseproof.reports.build.text import short_model_name
from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.studies.agreement import ComputedFigure, agreement_tables, computed
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import OBSERVED, UNOBSERVED
from phraseproof.studies.mean_bars import error_bars, mean_bar, model_names
from phraseproof.studies.measured import (
    MeasuredGroups,
    difference_cell,
    estimate_text,
    mean_finding,
    measure,
    measured_notes,
    open_steps,
    two_groups,
    value_cell,
)
from phraseproof.studies.published import PublishedFigure, figures, published_model, remarks
from phraseproof.studies.steps import given_runs, main_step, slug
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import EVALUATION, UsedOptions

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.reports.charts.chart import Chart

PER_CATEGORY = "Table 3"
PER_TASK = ("Table 19", "Table 20", "Table 21", "Table 22", "Table 23", "Table 24", "Table 25", "Table 26")
_P = "p below 0.05"


class TableThree:
    """Observed against unobserved wordings, per category and per data set (section 4.2)."""

    name = "table-3"
    exhibit = "Tables 3, 19, 21, 23, 25 and Figure 2a"
    about = "accuracy under observed and unobserved wordings, per category and data set, with a paired t-test"
    needs = "a model, tasks with options, two groups of wordings"
    min_models: int = 1
    options = UsedOptions(of_models=EVALUATION)

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """One run per model, without demonstrations."""
        return given_runs(request) or [main_step(request, model) for model in request.models]

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The tables of all models."""
        measured = [measure(run, two_groups(run), seed=request.seed) for run in open_steps(steps)]
        known = list(dict.fromkeys(filter(None, (published_model(found.model) for found in measured))))
        printed = [each for each in figures([PER_CATEGORY]) if not known or each.model in known]
        tables = [*category_tables(measured, printed), *(task_table(found) for found in measured)]
        compared = [each for found in measured for each in compared_figures(found)]
        rows = [row for found in measured for row in (*found.result_rows(), *_task_mean_rows(found))]
        per_task = [each for name in known for each in printed_once(name)]
        rows += [row for each in (*printed, *per_task) for row in each.rows()]
        notes = measured_notes(measured)
        notes += remarks(printed) if known and not compared else []
        return Exhibit(
            study=self.name,
            title="Observed and unobserved wordings",
            tables=(*tables, *agreement_tables(compared)),
            results=ResultTable(tuple(rows)),
            charts=_charts(measured),
            notes=tuple(dict.fromkeys(notes)),
        )


def category_tables(measured: Sequence[MeasuredGroups], printed: Sequence[PublishedFigure]) -> Iterator[ExhibitTable]:
    """The layout of Table 3: one table where the paper's columns are the model's, else one each."""
    own = list(dict.fromkeys(row.name for found in measured for row in found.summary.categories))
    paper = list(dict.fromkeys(each.name for each in printed if each.name != OVERALL))
    rows = [row for found in measured for row in _measured_rows(found)]
    lines = [line for found in measured for line in _test_lines(found)]
    legend = "mean ± Std over wordings, as the paper averages; in brackets 95% intervals over wordings and examples"
    together = set(own) <= set(paper)
    names = [*(paper if together else own), OVERALL]
    dagger = "† as printed: p < 0.05 in a paired t-test over data sets"
    if together:
        rows += _printed_rows(printed)
        lines.append(dagger)
    yield ExhibitTable(
        "By category",
        ("model", "wordings", *names),
        tuple((*head, *(cells.get(name, "") for name in names)) for head, cells in rows),
        (legend, *lines),
        num_names=2,
    )
    if not together and printed:
        names = [*paper, OVERALL]
        yield ExhibitTable(
            "The paper's figures (Table 3), for other models on other tasks",
            ("model", "wordings", *names),
            tuple((*head, *(cells.get(name, "") for name in names)) for head, cells in _printed_rows(printed)),
            (dagger,),
            num_names=2,
        )


def task_table(found: MeasuredGroups, sources: Sequence[str] = PER_TASK) -> ExhibitTable:
    """The layout of Tables 19, 21, 23 and 25, with the printed figures of the same model where there are any.

    Args:
        found: of one model at one number of demonstrations.
        sources: the tables with the printed figures.
    """
    reference, other = found.groups
    known = published_model(found.model)
    printed = {(each.name, each.group): each.shown for each in (printed_once(known, sources) if known else ())}
    rows: list[tuple[str, ...]] = []
    for row, measured in found.rows():
        if row.level is not Level.TASK:
            continue
        cells = [
            value_cell(row.groups.get(group), mean_finding(measured.groups.get(group)), found.metric)
            for group in (reference, other)
        ]
        cells.append(difference_cell(measured.differences.get(other), found.metric))
        printed_cells = [printed.get((row.name, group), "") for group in (OBSERVED, UNOBSERVED)] if known else []
        rows.append((row.name, *cells, *printed_cells))
    rows += _task_mean_cells(found, len(rows[0])) if len(rows) > 1 else []
    headings = ("task", reference, other, "difference", *([f"printed: {OBSERVED}", UNOBSERVED] if known else []))
    shots = f", {found.table.num_fewshot}-shot" if found.table.num_fewshot else ""
    line = f"difference: {other} minus {reference}, with its 95% interval"
    return ExhibitTable(f"By task: {short_model_name(found.model)}{shots}", headings, tuple(rows), (line,))


def _charts(measured: Sequence[MeasuredGroups]) -> dict[str, Chart]:
    """Figure 2a: the overall means of every model; and the means per category of each."""
    names = model_names(measured)
    drawn: dict[str, list[Bar]] = {"accuracy-by-model": []}
    for name, found in zip(names, measured, strict=True):
        above = [rows for rows in found.rows() if rows[0].level is not Level.TASK]
        for group in found.groups:
            drawn["accuracy-by-model"].append(mean_bar(found, above[-1], group, label=name, name=group))
        drawn[f"accuracy-by-category-{slug(name)}"] = [
            mean_bar(found, rows, group, label=rows[0].name, name=group)
            for rows in above
            for group in found.groups
            if group in rows[0].groups
        ]
    return {
        key: bars(
            marks,
            title=f"Mean {measured[0].metric.name} by group of wordings",
            axis=title_with_unit(measured[0].metric),
            error_bars=error_bars(measured),
        )
        for key, marks in drawn.items()
    }


def _task_means(found: MeasuredGroups) -> dict[str, tuple[float, float | None, int]]:
    """Of each group the mean over the tasks that have both groups, the mean of their Stds, and the number of tasks.

    The overall row weighs categories equally, and so weighs the tasks of small categories more.
    """
    shared = [row.groups for row in found.summary.tasks if all(group in row.groups for group in found.groups)]
    means: dict[str, tuple[float, float | None, int]] = {}
    for group in found.groups if shared else ():
        stds = [std for groups in shared if (std := groups[group].std) is not None]
        means[group] = fmean(groups[group].mean for groups in shared), fmean(stds) if stds else None, len(shared)
    return means


def _task_mean_cells(found: MeasuredGroups, width: int) -> list[tuple[str, ...]]:
    """The last row by task, as wide as the others: the difference has the interval of the paired t-test."""
    means = _task_means(found)
    if not means:
        return []
    cells = [
        value_in_unit(mean, found.metric) + ("" if std is None else f" ± {value_in_unit(std, found.metric)}")
        for mean, std, _ in means.values()
    ]
    tested = next(each.finding for each in found.table.comparisons if each.group == found.groups[1])
    cells.append(difference_cell(tested, found.metric))
    return [("mean over tasks", *cells, *[""] * (width - len(cells) - 1))]


def _task_mean_rows(found: MeasuredGroups) -> Iterator[ResultRow]:
    for group, (mean, std, count) in _task_means(found).items():
        place = Place(Level.OVERALL, group=group)
        for name, value in (("mean over tasks", mean), ("std, mean over tasks", std)):
            if value is not None:
                plain = Finding(name, value, count, "mean over the tasks that have both groups")
                yield finding_row(found.source, place, name, plain, found.source.unit("mean"))


def _measured_rows(found: MeasuredGroups) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    reference, other = found.groups
    above = [(row, measured) for row, measured in found.rows() if row.level is not Level.TASK]
    name = short_model_name(found.model)
    for group in found.groups:
        yield (
            (name if group == reference else "", group),
            {
                row.name: value_cell(row.groups.get(group), mean_finding(m.groups.get(group)), found.metric)
                for row, m in above
            },
        )
    yield ("", "difference"), {row.name: difference_cell(m.differences.get(other), found.metric) for row, m in above}


def _printed_rows(printed: Sequence[PublishedFigure]) -> Iterator[tuple[tuple[str, str], dict[str, str]]]:
    for model in dict.fromkeys(each.model for each in printed):
        own = [each for each in printed if each.model == model]
        for group in (OBSERVED, UNOBSERVED):
            cells = {each.name: each.shown for each in own if each.group == group and each.statistic == "mean"}
            yield (f"{model} (printed)" if group == OBSERVED else "", group), cells
        cells = {each.name: each.shown for each in own if each.statistic == "difference"}
        if any(each.statistic == _P and each.value == "1" for each in own):
            cells[OVERALL] += " †"
        yield ("", "difference"), cells


def _test_lines(found: MeasuredGroups) -> Iterator[str]:
    """The paired t-test over tasks, and next to it the interval over wordings and examples."""
    name = short_model_name(found.model)
    overall = found.statistics.overall
    for compared in found.table.comparisons:
        what = f"{name}, {compared.group} minus {compared.reference}"
        if compared.finding is None:
            yield f"{what}: no test over tasks: {compared.reason}"
        else:
            yield f"{what}, over {compared.finding.n} tasks: " + estimate_text(
                compared.finding, found.metric, "paired t-test: other tasks"
            )
        crossed = overall.differences.get(compared.group)
        if crossed is not None:
            over = "other wordings" if found.run.accuracies else "other wordings and examples"
            yield f"{what}, mean of categories: {estimate_text(crossed, found.metric, over)}"


def printed_once(model: str, sources: Sequence[str] = PER_TASK) -> list[PublishedFigure]:
    """Each printed figure of a model once: some are in two tables."""
    printed = reversed(figures(sources, model=model))
    found = {(each.level, each.name, each.group, each.statistic): each for each in printed}
    return list(reversed(found.values()))


def compared_figures(
    found: MeasuredGroups, sources: Sequence[str] = (PER_CATEGORY, *PER_TASK)
) -> Iterator[ComputedFigure]:
    """Printed figures and what imported accuracies give; nothing for a run that was evaluated."""
    known = published_model(found.model)
    if known is None or not found.run.accuracies:
        return
    rows = {(row.level.value, row.name): row for row, _ in found.rows()}
    scale = found.metric.scale
    for each in printed_once(known, sources):
        row = rows.get((each.level, each.name))
        if row is None:
            continue
        if each.statistic == "mean" and each.group in row.groups:
            group = row.groups[each.group]
            yield computed(each, scale * group.mean, None if group.std is None else scale * group.std)
        elif each.statistic == "difference" and each.group in row.differences:
            yield computed(each, scale * row.differences[each.group].value)
        elif each.statistic == _P:
            tested = found.table.comparisons[0].finding
            if tested is not None and tested.p_value is not None:
                yield computed(each, float(tested.p_value < 0.05))
