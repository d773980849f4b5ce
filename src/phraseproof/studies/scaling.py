"""`scaling`: whether larger models depend less on the wording (section 4.3, appendix H, Figure 2b, Table 18)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import OVERALL, Level
from phraseproof.analysis.readings import shared_metric
from phraseproof.analysis.result_rows import scaling_rows
from phraseproof.analysis.results import ResultTable
from phraseproof.analysis.scaling import Scaling, scale_points
from phraseproof.analysis.scaling import scaling as regress
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.reports.build.numbers import p_number, short_difference_unit
from phraseproof.reports.build.text import short_model_names
from phraseproof.reports.charts.scaling import scaling as scaling_chart
from phraseproof.studies.agreement import ComputedFigure, agreement_tables, computed
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.measured import (
    MeasuredGroups,
    difference_cell,
    measure,
    measured_notes,
    open_steps,
    two_groups,
)
from phraseproof.studies.published import figures, published_model, published_parameters, remarks
from phraseproof.studies.steps import given_runs, main_step
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import EVALUATION, SEED, UsedOptions

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run

TABLE = "Table 18"
REGRESSION = "Appendix H"


class ScalingStudy:
    """The gap between observed and unobserved wordings by the size of the model."""

    name = "scaling"
    exhibit = "Figure 2b, Tables 18, 20, 22, 24, 26 and appendix H"
    about = "observed minus unobserved by the number of parameters, with a regression and a chart"
    needs = "models of several sizes, tasks with options, two groups of wordings"
    min_models: int = 2
    options = UsedOptions(of_models=EVALUATION | {"parameters"}, of_runs=SEED | {"parameters"})

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """The run of `table-3` for every model."""
        return given_runs(request) or [main_step(request, model) for model in request.models]

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The gaps, the regression and its chart."""
        runs = open_steps(steps)
        names = list(dict.fromkeys(name for run in runs for name in (_name(run), run.name)))
        if unknown := [name for name in request.parameters if name not in names]:
            raise UsageError(
                "no model or run of the study has this name",
                expected=f"one of: {', '.join(names)}",
                got=unknown[0],
                where="--parameters",
            )
        metric = shared_metric(runs)
        sized = sorted(((_parameters(run, request), run) for run in runs), key=lambda pair: pair[0])
        measured = [measure(run, two_groups(run), seed=request.seed) for _, run in sized]
        sizes = [size for size, _ in sized]
        points = [
            point
            for size, run in sized
            for point in scale_points(run, reference=two_groups(run)[0], group=two_groups(run)[1], parameters=size)
        ]
        lines = [regress(points, per_tenfold=per_tenfold) for per_tenfold in (False, True)]
        printed = figures([TABLE, REGRESSION])
        compared = [each for found in measured for each in _compared(found)]
        rows: list[ResultRow] = [row for found in measured for row in _gap_rows(found)]
        rows += [row for line in lines for row in scaling_rows(line, metric, measured[0].table.run.scoring)
                 if row.level is Level.OVERALL]  # fmt: skip
        rows += [row for each in printed for row in each.rows()]
        notes = measured_notes(measured)
        notes += remarks(printed) if not compared else remarks(figures([REGRESSION]))
        tables = [_gaps(measured, sizes), _printed(), _regressions(lines, metric)]
        return Exhibit(
            study=self.name,
            title="Gap between observed and unobserved wordings by model size",
            tables=(*tables, *agreement_tables(compared)),
            results=ResultTable(tuple(rows)),
            charts={"gap-by-parameters": scaling_chart(lines[1], metric)},
            notes=tuple(dict.fromkeys(notes)),
        )


def _name(run: Run) -> str:
    return str(run.settings.get("model", {}).get("name", run.path.name))


def _parameters(run: Run, request: StudyRequest) -> int:
    """The size that the user gives, that the run holds, or that the paper gives for its models.

    Raises:
        NotEnoughDataError: none is known.
    """
    name = _name(run)
    given = request.parameters.get(name) or request.parameters.get(run.name)
    size = given or run.model_parameters or published_parameters(name)
    if size is None:
        raise NotEnoughDataError(
            f"it is not known how many parameters {name} has",
            where=run.name,
            hint=f"Give it with --parameters {name}=NUMBER",
        )
    return size


def _gaps(measured: Sequence[MeasuredGroups], sizes: Sequence[int]) -> ExhibitTable:
    """The layout of Table 18."""
    names = list(dict.fromkeys(row.name for found in measured for row in found.summary.categories))
    paper = list(dict.fromkeys(each.name for each in figures([TABLE])))
    names = paper if set(names) == set(paper) else names
    shown = short_model_names(found.model for found in measured)
    rows: list[tuple[str, ...]] = []
    for found, size in zip(measured, sizes, strict=True):
        other = found.groups[1]
        cells: dict[str, str] = {}
        for row, statistics in found.rows():
            gap = statistics.differences.get(other)
            if row.level is not Level.TASK and gap is not None:
                # Table 18 and Figure 2b have observed minus unobserved; differences are the other way round.
                cells[row.name] = difference_cell(gap.negated, found.metric)
        rows.append((shown[found.model], _short(size),
                     *(cells.get(name, "") for name in (*names, OVERALL))))  # fmt: skip
    title = f"{measured[0].groups[0]} minus {measured[0].groups[1]}"
    line = "in brackets 95% intervals over wordings and examples; of imported accuracies over wordings only"
    return ExhibitTable(title, ("model", "parameters", *names, OVERALL), tuple(rows), (line,))


def _short(size: int) -> str:
    """`3B`, `780M`, `316K`."""
    unit, letter = next((pair for pair in ((1e9, "B"), (1e6, "M"), (1e3, "K")) if size >= pair[0]), (1, ""))
    return f"{size / unit:.3g}{letter}"


def _printed() -> ExhibitTable:
    printed = figures([TABLE])
    names = list(dict.fromkeys(each.name for each in printed))
    cells = {(each.model, each.name): each.shown for each in printed}
    rows = [
        (model, _short(published_parameters(model) or 0), *(cells.get((model, name), "") for name in names))
        for model in dict.fromkeys(each.model for each in printed)
    ]
    line = "The paper does not say what the numbers after ± are."
    return ExhibitTable(f"The paper's figures ({TABLE})", ("model", "parameters", *names), tuple(rows), (line,))


def _regressions(lines: Sequence[Scaling], metric: Metric) -> ExhibitTable:
    rows: list[tuple[str, ...]] = []
    for line in lines:
        slope = line.slope
        # The paper's slope is in fractions of accuracy per parameter.
        stored = "fraction" if metric.unit == "%" else metric.unit
        unit = (short_difference_unit(metric), metric.scale) if line.per_tenfold else (stored, 1.0)
        ends = (
            ""
            if slope.low is None or slope.high is None
            else f"{unit[1] * slope.low:.3g} to {unit[1] * slope.high:.3g}"
        )
        rows.append(
            (
                "per tenfold" if line.per_tenfold else "per parameter",
                unit[0],
                f"{unit[1] * slope.estimate:+.3g}",
                ends,
                "" if slope.p_value is None else p_number(slope.p_value),
                f"{line.r_squared:.3f}",
                str(slope.n),
            )
        )
    printed = {each.statistic: each.value for each in figures([REGRESSION])}
    rows.append(
        (
            "per parameter (printed)",
            "fraction",
            f"{float(printed['slope']):+.3g}",
            "",
            printed["p"],
            printed["r squared"],
            "",
        )
    )
    headings = ("regression of the gap", "unit", "slope", "95% interval", "p", "R²", "points")
    line = (
        "Least squares over tasks and models; p is a t-test as if points were independent. A positive slope means that "
        "larger models depend more on the wording."
    )
    return ExhibitTable("Regression on the number of parameters", headings, tuple(rows), (line,), num_names=2)


def _gap_rows(found: MeasuredGroups) -> Iterator[ResultRow]:
    """Gaps per task, category and overall: observed minus unobserved."""
    for row in found.result_rows():
        if row.statistic == f"difference from {found.groups[0]}":
            low, high = (None if row.high is None else -row.high, None if row.low is None else -row.low)
            yield replace(row, statistic="gap", estimate=-row.estimate, low=low, high=high)


def _compared(found: MeasuredGroups) -> Iterator[ComputedFigure]:
    known = published_model(found.model)
    if known is None or not found.run.accuracies:
        return
    rows = {row.name: row for row, _ in found.rows()}
    for each in figures([TABLE], model=known):
        row = rows.get(each.name)
        if row is not None and found.groups[1] in row.differences:
            # What the printed Std is of is not known, so only the gap is compared.
            yield computed(each._replace(std=""), -found.metric.scale * row.differences[found.groups[1]].value)
