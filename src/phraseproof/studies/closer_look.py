"""`closer-look`: accuracy under six kinds of wording (section 4.5, Figure 3 and Table 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.results import ResultTable
from phraseproof.analysis.significance.paired_t import compare_groups
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.numbers import title_with_unit
from phraseproof.reports.build.text import short_model_name
from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.studies.agreement import ComputedFigure, agreement_tables, computed
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import UNOBSERVED, material_of
from phraseproof.studies.mean_bars import error_bars, mean_bar, model_names
from phraseproof.studies.measured import (
    MeasuredGroups,
    estimate_text,
    mean_finding,
    measure,
    measured_notes,
    open_steps,
    value_cell,
)
from phraseproof.studies.published import PublishedFigure, figures, published_model, remarks
from phraseproof.studies.steps import evaluation_step, given_runs
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import EVALUATION, UsedOptions

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.reports.charts.chart import Chart
    from phraseproof.store.queries import Run

TABLE = "Table 9"
KINDS = ("closest", "incorrect", "collected", "task_designer", "negated", "nonsensical")
"""The kinds of wordings, in the order of Table 9."""

COMPARED = (("incorrect", "collected"), ("closest", "collected"), ("negated", "closest"), ("nonsensical", "collected"))
"""Which kinds are compared: the paper's headline first."""


class CloserLook:
    """Six kinds of wording on one set of tasks."""

    name = "closer-look"
    exhibit = "Table 9 and Figure 3"
    about = "accuracy under closest, incorrect, collected, the task designer's, negated and nonsensical wordings"
    needs = "a model, tasks with options, wordings of these kinds"
    min_models: int = 1
    options = UsedOptions(of_models=EVALUATION, groups=frozenset(KINDS))

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """One run per model with a group for each kind."""
        return given_runs(request) or [
            evaluation_step(
                request,
                model,
                tasks=material_of(model).closer_tasks,
                instructions=material_of(model).closer,
            )
            for model in request.models
        ]

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The tables of all models."""
        measured = [_measured(run, seed=request.seed) for run in open_steps(steps)]
        known = [name for found in measured if (name := published_model(found.model)) is not None]
        printed = figures([TABLE])
        compared = [each for found in measured for each in _compared(found)]
        rows = [row for found in measured for row in _result_rows(found)]
        rows += [row for each in printed for row in each.rows()]
        notes = measured_notes(measured)
        notes += remarks(printed) if known and not compared else []
        tables = [table for found in measured for table in _tables(found, printed)]
        if not any(_shares_tasks(found, printed) for found in measured):
            tables.append(_printed_table(printed))
        return Exhibit(
            study=self.name,
            title="Six kinds of wording",
            tables=(*tables, *agreement_tables(compared)),
            results=ResultTable(tuple(rows)),
            charts={"accuracy-by-kind": _chart(measured, printed)},
            notes=tuple(dict.fromkeys(notes)),
        )


def kind_of(group: str) -> str:
    """The paper's name of a group: imported runs call collected wordings unobserved."""
    return "collected" if group == UNOBSERVED else group


def kinds_of(run: Run) -> list[str]:
    """The groups of a run that are kinds of wordings, in the order of Table 9, if a wording fits a task.

    Raises:
        NotEnoughDataError: the run has less than two.
    """
    scored = {score.group for score in run.wording_scores()}
    groups = [group for kind in KINDS for group in run.groups if kind_of(group) == kind and group in scored]
    if len(groups) < 2:
        raise NotEnoughDataError(
            "the closer look compares kinds of wordings",
            expected=f"groups among: {', '.join(KINDS)}",
            got=", ".join(run.groups),
            where=run.name,
        )
    return groups


def _measured(run: Run, *, seed: int) -> MeasuredGroups:
    """All tasks in one category: Table 9 weighs tasks equally, whatever their kind."""
    scores = run.wording_scores()
    return measure(run, kinds_of(run), categories=dict.fromkeys((score.task for score in scores), OVERALL), seed=seed)


def _tables(found: MeasuredGroups, printed: Sequence[PublishedFigure]) -> Iterator[ExhibitTable]:
    """The layout of Table 9; below a task of the paper its printed figures."""
    by_task = {name: _by_kind(printed, name) for name in dict.fromkeys(each.name for each in printed)}
    kinds = [kind for kind in KINDS if kind in map(kind_of, found.groups)]
    next_to = _shares_tasks(found, printed)
    shown = list(KINDS) if next_to else kinds
    groups = {kind_of(group): group for group in found.groups}
    rows: list[tuple[str, ...]] = []
    for row, measured in found.rows():
        if row.level is Level.CATEGORY:
            continue
        cells = {
            kind: value_cell(row.groups.get(group), mean_finding(measured.groups.get(group)), found.metric)
            for kind, group in groups.items()
        }
        rows.append((row.name, *(cells.get(kind, "") for kind in shown)))
        if next_to and row.name in by_task:
            over = f", {sum(each != OVERALL for each in by_task)} tasks" if row.name == OVERALL else ""
            rows.append((f"  printed{over}", *(by_task[row.name].get(kind, "") for kind in shown)))
    lines = (
        "mean ± Std over wordings, Overall the mean over tasks; in brackets 95% intervals over wordings and examples",
        *_comparisons(found, groups),
    )
    title = f"By kind of wording: {short_model_name(found.model)}"
    headings = ("task", *(_label(kind) for kind in shown))
    yield ExhibitTable(title, headings, tuple(rows), lines)


def _comparisons(found: MeasuredGroups, groups: Mapping[str, str]) -> Iterator[str]:
    """Differences of kinds over tasks, with the paired t-test."""
    for kind, reference in COMPARED:
        if kind not in groups or reference not in groups:
            continue
        try:
            tested = compare_groups(found.summary, groups[kind], groups[reference])
        except NotEnoughDataError:
            continue
        text = estimate_text(tested, found.metric, "paired t-test")
        yield f"{kind} minus {reference}, over {tested.n} tasks: {text}"


def _printed_table(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    names = list(dict.fromkeys(each.name for each in printed))
    rows = tuple((name, *(_by_kind(printed, name).get(kind, "") for kind in KINDS)) for name in names)
    headings = ("task", *(_label(kind) for kind in KINDS))
    return ExhibitTable(f"The paper's figures ({TABLE}, {printed[0].model}), on other tasks", headings, rows)


def _by_kind(printed: Sequence[PublishedFigure], name: str) -> dict[str, str]:
    return {each.group: each.shown for each in printed if each.name == name}


def _shares_tasks(found: MeasuredGroups, printed: Sequence[PublishedFigure]) -> bool:
    return bool({row.name for row in found.summary.tasks} & {each.name for each in printed})


def _chart(measured: Sequence[MeasuredGroups], printed: Sequence[PublishedFigure]) -> Chart:
    """Figure 3: the mean over tasks under each kind. The paper's bars are drawn where a model has all its tasks."""
    names = model_names(measured)
    marks = [mark for name, found in zip(names, measured, strict=True) for mark in _marks(name, found)]
    tasks = {each.name for each in printed if each.name != OVERALL}
    if any(tasks <= {row.name for row in found.summary.tasks} for found in measured):
        overall = _overall_values(printed)
        marks += [Bar(_label(kind), f"{printed[0].model} (printed)", overall[kind]) for kind in KINDS]
    metric = measured[0].metric
    return bars(
        sorted(marks, key=lambda mark: [_label(kind) for kind in KINDS].index(mark.label)),
        title="Accuracy by kind of wording, mean over tasks",
        axis=title_with_unit(metric),
        error_bars=error_bars(measured),
    )


def _marks(name: str, found: MeasuredGroups) -> Iterator[Bar]:
    *_, overall = found.rows()
    for group in overall[0].groups:
        yield mean_bar(found, overall, group, label=_label(kind_of(group)), name=name)


def _label(kind: str) -> str:
    return kind.replace("_", " ")


def _overall_values(printed: Sequence[PublishedFigure]) -> dict[str, float]:
    return {each.group: float(each.value) for each in printed if each.name == OVERALL}


def _result_rows(found: MeasuredGroups) -> Iterator[ResultRow]:
    """Groups under the paper's names; the one category of all tasks would only repeat the overall rows."""
    for row in found.result_rows():
        if row.level is not Level.CATEGORY:
            yield replace(row, category="", group=kind_of(row.group))


def _compared(found: MeasuredGroups) -> Iterator[ComputedFigure]:
    """Printed figures and what imported accuracies give; the overall row only where all seven tasks are there."""
    printed = figures([TABLE], model=published_model(found.model) or "none")
    if not found.run.accuracies or not printed:
        return
    rows = {row.name: row for row, _ in found.rows()}
    complete = {each.name for each in printed} <= rows.keys()
    groups = {kind_of(group): group for group in found.groups}
    scale = found.metric.scale
    for each in printed:
        row = rows.get(each.name)
        group = None if row is None else row.groups.get(groups.get(each.group, ""))
        if group is not None and (each.name != OVERALL or complete):
            yield computed(each, scale * group.mean, None if group.std is None else scale * group.std)
