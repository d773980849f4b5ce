"""`few-shot`: whether demonstrations reduce the gap, and how much their draw matters (section 4.4, Table 15)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import OVERALL, Level, by_level
from phraseproof.analysis.facets.design import DRAWS, load_designs
from phraseproof.analysis.facets.effort import WORDINGS
from phraseproof.analysis.facets.spread import ALL, facet_spreads
from phraseproof.analysis.grids import metric_of
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.numbers import value_in_unit
from phraseproof.reports.build.runs import model_name
from phraseproof.reports.build.text import short_model_name
from phraseproof.studies.agreement import agreement_tables
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import material_of
from phraseproof.studies.measured import (
    MeasuredGroups,
    average_of_groups,
    difference_cell,
    measure,
    measured_notes,
    open_steps,
    two_groups,
)
from phraseproof.studies.published import figures, published_model, remarks
from phraseproof.studies.steps import given_runs, main_step
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.table_3 import compared_figures, printed_once, task_table
from phraseproof.studies.used_options import EVALUATION, UsedOptions

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

TABLE = "Table 15"
ALIGNED = "+ Aligned"
"""In the name of the rows of Table 15 of aligned models, which are not measured here."""
TEN_DRAWS = "Appendix C"
PER_TASK = ("Table 27", "Table 28", "Table 29", "Table 30")
SHOTS = (1, 3)
SPREADS: Mapping[str, str] = {
    WORDINGS: "over wordings, within a draw",
    DRAWS: "over draws, under a wording",
    ALL: "over wordings and draws",
}
"""The three standard deviations that a few-shot study can mean; the paper does not say which one it gives."""


@dataclass(frozen=True)
class _Spreads:
    """The three Stds of one place, as scores are stored: a task's, or the mean of those below."""

    name: str
    category: str
    level: Level
    values: Mapping[str, float]


class FewShot:
    """Demonstrations in the prompt, drawn several times."""

    name = "few-shot"
    exhibit = "section 4.4, Tables 15, 27, 28, 29, 30"
    about = "average, gap and three standard deviations with 0, 1 and 3 demonstrations, over draws of demonstrations"
    needs = "a model, tasks with options, two groups of wordings; --seeds is the number of draws"
    min_models: int = 1
    options = UsedOptions(of_models=EVALUATION | {"seeds"})

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """For every model a run without demonstrations, which `table-3` shares, and one with them."""
        if request.runs:
            return given_runs(request)
        steps: list[Step] = []
        for model in request.models:
            material = material_of(model)
            tasks = material.few_shot_tasks
            draws = request.seeds or material.draws
            shown = {"num_fewshot": SHOTS, "fewshot_seeds": (request.seed,), "fewshot_draws": draws}
            steps += [main_step(request, model, tasks=tasks), main_step(request, model, tasks=tasks, **shown)]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """Averages and gaps by number of demonstrations, and the Stds over draws."""
        runs = open_steps(steps)
        measured = [
            measure(run, two_groups(run), num_fewshot=shots, seed=request.seed) for run in runs for shots in _shots(run)
        ]
        known = [name for found in measured if (name := published_model(found.model)) is not None]
        printed = [each for each in figures([TABLE]) if not known or each.model in known]
        tables = [_averages(measured), _printed(known)]
        one_shot = [found for found in measured if found.table.num_fewshot == 1]
        tables += [task_table(found, PER_TASK) for found in one_shot]
        compared = [each for found in one_shot for each in compared_figures(found, PER_TASK)]
        rows = [row for found in measured for row in found.result_rows()]
        rows += [row for found in measured for row in _average_rows(found)]
        notes = measured_notes(measured)
        for run in runs:
            spreads, left_out = _spreads(run)
            notes += left_out
            for (shots, group), levels in spreads.items():
                rows += list(_spread_rows(run, shots, group, levels))
            if spreads:
                tables.append(_spread_table(run, spreads))
        per_task = [each for name in dict.fromkeys(known) for each in printed_once(name, PER_TASK)]
        rows += [row for each in (*printed, *per_task, *figures([TEN_DRAWS])) for row in each.rows()]
        notes += remarks([*printed, *figures([TEN_DRAWS])])
        return Exhibit(
            study=self.name,
            title="Demonstrations and their draw",
            tables=(*tables, *agreement_tables(compared)),
            results=ResultTable(tuple(rows)),
            notes=tuple(dict.fromkeys(notes)),
        )


def _shots(run: Run) -> list[int]:
    return sorted({score.num_fewshot for score in run.wording_scores()})


def _averages(measured: Sequence[MeasuredGroups]) -> ExhibitTable:
    """The layout of Table 15, for every category: (observed + unobserved) / 2, and observed minus unobserved."""
    names = [*dict.fromkeys(row.name for found in measured for row in found.summary.categories), OVERALL]
    rows: list[tuple[str, ...]] = []
    for found in measured:
        shots = str(found.table.num_fewshot)
        above = {row.name: (row, statistics) for row, statistics in found.rows() if row.level is not Level.TASK}
        averages = {name: _average(found, name) for name in above}
        gaps = {
            name: difference_cell(gap.negated, found.metric)
            for name, (_, statistics) in above.items()
            if (gap := statistics.differences.get(found.groups[1])) is not None
        }
        rows.append((short_model_name(found.model), shots, "average", *(averages.get(name, "") for name in names)))
        rows.append(("", "", "gap", *(gaps.get(name, "") for name in names)))
    lines = (
        "average: (observed + unobserved) / 2 ± the mean of their Stds over wordings (of means over draws)",
        "gap: observed minus unobserved, with a 95% interval over wordings and examples",
    )
    return ExhibitTable("By number of demonstrations", ("model", "shots", "", *names), tuple(rows), lines, num_names=3)


def _average(found: MeasuredGroups, name: str) -> str:
    value, std = average_of_groups(found, name)
    if value is None:
        return ""
    shown = value_in_unit(value, found.metric)
    return shown if std is None else f"{shown} ± {value_in_unit(std, found.metric)}"


def _average_rows(found: MeasuredGroups) -> Iterator[ResultRow]:
    for row, _ in found.rows():
        if row.level is Level.TASK:
            continue
        value, std = average_of_groups(found, row.name)
        for statistic, number in (("average of groups", value), ("std, average of groups", std)):
            if number is not None:
                yield ResultRow(
                    run=str(found.run.path),
                    num_fewshot=found.table.num_fewshot,
                    scoring=found.table.run.scoring,
                    level=row.level,
                    category=row.category,
                    statistic=statistic,
                    estimate=found.metric.scale * number,
                    n=2,
                    method="mean of two groups of wordings",
                    unit=found.metric.unit,
                )


def _printed(known: Sequence[str]) -> ExhibitTable:
    """Table 15, of the models that were measured or of all."""
    printed = [each for each in figures([TABLE]) if not known or each.model in known] or figures([TABLE])
    cells = {(each.model, each.row, each.statistic): each.shown for each in printed}
    rows = [
        (each.model, f"{each.num_fewshot}, aligned" if ALIGNED in each.row else str(each.num_fewshot), each.shown,
         cells[each.model, each.row, "gap"])
        for each in printed
        if each.statistic == "average"
    ]  # fmt: skip
    (drawn,) = figures([TEN_DRAWS])
    (once,) = (each.std for each in figures([TABLE], model=drawn.model, statistic="average") if each.num_fewshot == 3)
    line = f"{TEN_DRAWS}: the Std of {drawn.model} with 3 demonstrations is {drawn.value} over ten draws, not {once}."
    headings = ("model", "shots", "average of MMLU", "gap")
    return ExhibitTable(f"The paper's figures ({TABLE})", headings, tuple(rows), (line,), num_names=2)


def _spreads(run: Run) -> tuple[dict[tuple[int, str], list[_Spreads]], list[str]]:
    """By shots and group the three Stds of each task, category and overall; and what is left out."""
    if run.accuracies:
        return {}, []
    try:
        designs, without = load_designs(run)
    except NotEnoughDataError as error:
        return {}, [str(error)]
    found: dict[tuple[int, str], list[_Spreads]] = {}
    for design in designs:
        if DRAWS in design.facets and WORDINGS in design.facets:
            values = {spread.facet: spread.mean for spread in facet_spreads(design)}
            task = _Spreads(design.task, design.category, Level.TASK, values)
            found.setdefault((design.num_fewshot, design.group), []).append(task)
    notes = [f"No Std over draws for {each.task} under {each.group}, {each.num_fewshot}-shot: {each.why}"
             for each in without if each.num_fewshot]  # fmt: skip
    notes += [f"{each.task} under {each.group}: {each.left_out}" for each in designs if each.left_out]
    return {key: _with_means(tasks) for key, tasks in found.items()}, notes


def _with_means(tasks: Sequence[_Spreads]) -> list[_Spreads]:
    def mean(level: Level, name: str, below: Sequence[_Spreads]) -> _Spreads:
        values = {spread: fmean(each.values[spread] for each in below) for spread in SPREADS}
        return _Spreads(name, name if level is Level.CATEGORY else "", level, values)

    levels = by_level(tasks, category=lambda task: task.category, combine=mean)
    return [*levels.tasks, *levels.categories, levels.overall]


def _spread_table(run: Run, spreads: Mapping[tuple[int, str], Sequence[_Spreads]]) -> ExhibitTable:
    names = [
        *dict.fromkeys(each.name for levels in spreads.values() for each in levels if each.level is not Level.TASK)
    ]
    metric = metric_of(run)
    rows: list[tuple[str, ...]] = []
    for (shots, group), levels in spreads.items():
        cells = {each.name: each.values for each in levels if each.level is not Level.TASK}
        for spread, shown in SPREADS.items():
            first = spread == WORDINGS
            numbers = (value_in_unit(cells[name][spread], metric) if name in cells else "" for name in names)
            rows.append((str(shots) if first else "", group if first else "", shown, *numbers))
    draws = len({cell.fewshot_seed for cell in run.cells if cell.num_fewshot})
    line = f"Over {draws} draws; means over tasks and categories. Each Std still holds the noise of the examples."
    title = f"Standard deviations: {short_model_name(model_name(run))}"
    return ExhibitTable(title, ("shots", "wordings", "Std", *names), tuple(rows), (line,), num_names=3)


def _spread_rows(run: Run, shots: int, group: str, levels: Sequence[_Spreads]) -> Iterator[ResultRow]:
    metric = metric_of(run)
    for each in levels:
        for spread, shown in SPREADS.items():
            yield ResultRow(
                run=run.name,
                num_fewshot=shots,
                scoring=run.scoring,
                level=each.level,
                category=each.category,
                task=each.name if each.level is Level.TASK else "",
                group=group,
                statistic=f"std {shown}",
                estimate=metric.scale * each.values[spread],
                method="sample standard deviation; mean over the other facets, then as the paper averages",
                unit=metric.unit,
            )
