"""`pretraining`: whether a better trained base depends less on the wording once it is tuned (appendix D, Figure 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.gap_change import gap_change
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.result_rows import Place, finding_row, place_of
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.analysis.significance.paired_t import paired_t_test
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reports.build.numbers import title_with_unit, value_in_unit
from phraseproof.reports.build.text import short_model_name
from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.store.queries import load_run
from phraseproof.store.training_record import read_record
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.material import material_of
from phraseproof.studies.measured import MeasuredGroups, estimate_text, measure, measured_notes, two_groups
from phraseproof.studies.steps import given_runs
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.table_3 import category_tables
from phraseproof.studies.tuning_step import TunedEvaluation, TuningStep, length_of, tuned_evaluation, tuning_step
from phraseproof.studies.used_options import TUNING, UsedOptions

if TYPE_CHECKING:
    from phraseproof.reports.charts.chart import Chart

_AVERAGE = "average of groups"
_PERCENT = "relative difference"
_CHANGE = "change of the difference"

_PAPER: Mapping[str, tuple[str, str]] = {
    "MMLU": ("higher", "smaller"),
    "BBL-QA": ("higher", "larger"),
    "BBL-BC": ("higher", "smaller"),
    "BBL-MC": ("higher", "larger"),
    "summaries": ("higher", "smaller"),
    "translations": ("higher", "larger"),
}
"""What appendix D says of Llama2-Alpaca compared with Llama-Alpaca: its average, and its difference between groups."""


@dataclass(frozen=True)
class NamedGroups(MeasuredGroups):
    """The groups of wordings of a run, under the name of the model before it was tuned."""

    label: str

    @property
    def model(self) -> str:
        """The name that is shown."""
        return self.label


@dataclass(frozen=True)
class Averages:
    """The values of Figure 8 in one category, in the metric's stored unit.

    Attributes:
        average: the mean of the means of the two groups.
        percent: unobserved minus observed, in percent of observed; `None` where observed is 0.
    """

    average: float
    percent: float | None


class PretrainingStudy:
    """Untuned bases that are tuned on the same data, compared under observed and unobserved wordings."""

    name = "pretraining"
    exhibit = "Figure 8 and appendix D"
    about = "untuned models tuned on the same data: their accuracy, and what unobserved wordings cost each"
    needs = "two untuned models, instructions with answers (--data), tasks with options, two groups of wordings"
    min_models: int = 1
    options = UsedOptions(of_models=TUNING)

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """For every base a tuning, and the comparison of `table-3` of what it makes."""
        steps: list[Step] = [*given_runs(request)]
        if len(request.runs) == 1:
            raise UsageError("the study compares models", expected="two runs or more", got="1", where="--run")
        for model in () if request.runs else bases(request):
            training = tuning_step(request, model)
            steps += [training, tuned_evaluation(request, training)]
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """Accuracy per category and group, then the averages and relative differences of Figure 8."""
        measured = [_measured(step, seed=request.seed) for step in steps if not isinstance(step, TuningStep)]
        changes = [_Change(*pair, seed=request.seed) for pair in pairwise(measured)]
        lines = tuple(line for change in changes for line in change.lines())
        (by_category,) = category_tables(measured, [])
        rows = [row for found in measured for row in (*found.result_rows(), *_average_rows(found))]
        rows += [row for change in changes for row in change.rows()]
        return Exhibit(
            study=self.name,
            title="Models with different pre-training, tuned on the same data",
            tables=(by_category, _figure_8(measured, lines), _paper()),
            results=ResultTable(tuple(rows)),
            charts=_charts(measured),
            notes=tuple(dict.fromkeys([*_training_notes(steps), *measured_notes(measured)])),
        )


def bases(request: StudyRequest) -> tuple[str, ...]:
    """The untuned models: those that the user names; for one model of a family, the bases that are shipped.

    Raises:
        UsageError: there are fewer than two, or one is named twice.
    """
    models = request.models
    if len(models) == 1:
        models = material_of(models[0]).bases or models
    if len(models) < 2 or len(set(models)) < len(models):
        raise UsageError(
            "the study compares untuned models",
            expected="--model once per model, two different ones at least",
            got=", ".join(models),
            where="--model",
        )
    return models


def averages(found: MeasuredGroups) -> dict[str, Averages]:
    """By category, and overall, the values of Figure 8."""
    reference, other = found.groups
    values: dict[str, Averages] = {}
    for row, _ in found.rows():
        if row.level is Level.TASK or not {reference, other} <= set(row.groups):
            continue
        observed, unobserved = row.groups[reference].mean, row.groups[other].mean
        percent = 100 * (unobserved - observed) / observed if observed else None
        values[row.name] = Averages((observed + unobserved) / 2, percent)
    return values


def _measured(step: Step, *, seed: int) -> NamedGroups:
    run = load_run(step.folder)
    found = measure(run, two_groups(run), seed=seed)
    tuned = isinstance(step, TunedEvaluation)
    label = f"{short_model_name(step.training.model)}, tuned" if tuned else short_model_name(found.model)
    return NamedGroups(**{each.name: getattr(found, each.name) for each in fields(MeasuredGroups)}, label=label)


class _Change:
    """How the difference between groups changes from one model to the next."""

    def __init__(self, before: NamedGroups, after: NamedGroups, *, seed: int) -> None:
        self._before, self._after = before, after
        self._over_tasks, self._crossed = _over_tasks(before, after), _crossed(before, after, seed)

    def lines(self) -> Iterator[str]:
        """The change over tasks, and over wordings and examples."""
        reference, other = self._after.groups
        what = f"{self._after.label} minus {self._before.label}, in the difference {other} minus {reference}"
        for found, over in (
            (self._over_tasks, "paired t-test over tasks"),
            (self._crossed, "mean of categories: other wordings and examples"),
        ):
            if found is not None:
                yield f"{what}: {estimate_text(found, self._after.metric, over)}"

    def rows(self) -> Iterator[ResultRow]:
        """The same as rows of a result table."""
        source = self._after.source
        for found, name in ((self._over_tasks, f"{_CHANGE} over tasks"), (self._crossed, _CHANGE)):
            if found is not None:
                place = Place(Level.OVERALL, group=self._after.groups[1])
                yield finding_row(source, place, name, found, source.difference_unit())


def _over_tasks(before: MeasuredGroups, after: MeasuredGroups) -> Finding | None:
    gaps = [
        {row.name: row.differences[found.groups[1]].value for row in found.summary.tasks if row.differences}
        for found in (before, after)
    ]
    shared = [name for name in gaps[0] if name in gaps[1]]
    try:
        return paired_t_test([gaps[0][name] for name in shared], [gaps[1][name] for name in shared], name=_CHANGE)
    except NotEnoughDataError:
        return None


def _crossed(before: MeasuredGroups, after: MeasuredGroups, seed: int) -> Finding | None:
    reference, other = after.groups
    try:
        return gap_change(load_grids(before.run), load_grids(after.run), groups=(reference, other), seed=seed)
    except NotEnoughDataError:
        return None


def _average_rows(found: MeasuredGroups) -> Iterator[ResultRow]:
    source = found.source
    for name, values in averages(found).items():
        level = Level.OVERALL if name == OVERALL else Level.CATEGORY
        place = place_of(level, name, "" if level is Level.OVERALL else name, "")
        method = "mean of the groups' means; no interval"
        yield finding_row(source, place, _AVERAGE, Finding(_AVERAGE, values.average, 2, method), source.unit("mean"))
        if values.percent is not None:
            method = "difference of the groups' means, in percent of the reference; no interval"
            yield finding_row(source, place, _PERCENT, Finding(_PERCENT, values.percent, 2, method), ("%", 1.0))


def _figure_8(measured: Sequence[NamedGroups], lines: tuple[str, ...]) -> ExhibitTable:
    names = list(dict.fromkeys(name for found in measured for name in averages(found)))
    rows: list[tuple[str, ...]] = []
    for found in measured:
        values = averages(found)
        shown = {name: value_in_unit(each.average, found.metric) for name, each in values.items()}
        percent = {name: "" if each.percent is None else f"{each.percent:+.1f}%" for name, each in values.items()}
        rows.append((found.label, "average", *(shown.get(name, "") for name in names)))
        rows.append(("", "relative", *(percent.get(name, "") for name in names)))
    reference, other = measured[0].groups
    line = (
        f"average: of the means of the two groups; relative: {other} minus {reference}, in percent of {reference}. "
        "The paper's text leaves open whether it averages percentages of tasks; here they are of means of categories."
    )
    headings = ("model", "", *names)
    return ExhibitTable(
        "Averages and relative differences (Figure 8)", headings, tuple(rows), (line, *lines), num_names=2
    )


def _paper() -> ExhibitTable:
    rows = tuple((name, *words) for name, words in _PAPER.items())
    line = "Figure 8 has bars and no numbers. Llama-7B and Llama2-7B, tuned on Alpaca's 52k examples."
    headings = ("category", "average", "difference between groups")
    title = "The paper's text: Llama2-Alpaca compared with Llama-Alpaca"
    return ExhibitTable(title, headings, rows, (line,), num_texts=2)


def _charts(measured: Sequence[NamedGroups]) -> dict[str, Chart]:
    """The two panels of Figure 8."""
    metric = measured[0].metric
    order = [found.label for found in measured]
    averaged: list[Bar] = []
    relative: list[Bar] = []
    for found in measured:
        for name, values in averages(found).items():
            averaged.append(Bar(name, found.label, metric.scale * values.average))
            relative += [] if values.percent is None else [Bar(name, found.label, values.percent)]
    panels = {
        "average-by-category": bars(
            averaged,
            title="Average of observed and unobserved wordings",
            axis=title_with_unit(metric),
            group_order=order,
        ),
    }
    if relative:
        panels["difference-by-category"] = bars(
            relative,
            title="Unobserved minus observed wordings, in percent of observed",
            axis="relative difference (%)",
            signed=True,
            group_order=order,
        )
    return panels


def _training_notes(steps: Sequence[Step]) -> Iterator[str]:
    """How the models were tuned, and what the pocket's bases are."""
    trainings = [step for step in steps if isinstance(step, TuningStep)]
    for step in trainings:
        settings, record = step.settings, read_record(step.folder) or {}
        yield (
            f"tuning: {record['examples']['count']:,} examples of {step.origin}, {length_of(step)}, "
            f"{settings.examples_per_step} examples per step, learning rate {settings.learning_rate:g}, "
            f"seed {settings.seed}"
        )
    if any(step.model in material_of(step.model).bases for step in trainings):
        yield (
            "pocket/tiny-base-long is as large as pocket/tiny-base, and was trained for 1.4 times as many steps before "
            "tuning. The tuning has none of the talk that gives the shipped models their gap (docs/pocket.md)"
        )
