"""`energy`: hardware, precision, batch, hours, electricity and CO2 of runs and trainings (Table 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple, get_args

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.results import ResultRow, ResultTable
from phraseproof.energy.codecarbon_tracker import CarbonIntensity, carbon_intensity, reason_against
from phraseproof.energy.session import Session, SessionTotals, total_of
from phraseproof.errors import UsageError
from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.studies.cost_step import CostStep, FolderCost, Kind, cost_steps, read_cost
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.published import PublishedFigure, figures, remarks
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.studies.used_options import UsedOptions

if TYPE_CHECKING:
    from phraseproof.reports.charts.chart import Chart

TABLE = "Table 8"
KINDS: tuple[str, ...] = get_args(Kind)
_HOUR = 3600.0
_LONG_NAME = 22
"""Characters of a name: two such columns leave room for the numbers on 100 columns."""

_WHOLE = 0.99
"""From this share of the time on, energy is that of all of it."""


class _Key(NamedTuple):
    """What the work of one row has in common."""

    kind: Kind
    model: str
    hardware: str
    precision: str
    batch: str


@dataclass(frozen=True)
class CostRow:
    """The work of one model on one machine in one way.

    Attributes:
        key: what it has in common.
        folders: how many runs or trainings.
        total: the sum of their sessions.
        later_place: whose electricity CO2 was computed with, where that was not known at the time of the work.
    """

    key: _Key
    folders: int
    total: SessionTotals
    later_place: str = ""

    @property
    def basis(self) -> str:
        """Whether the energy was measured, and of which share of the time it is."""
        return _basis(self.total)


def _basis(total: SessionTotals) -> str:
    share = min(1.0, total.tracked_s / total.wall_s) if total.wall_s else 0.0
    return total.basis if share >= _WHOLE else f"{total.basis}\n{100 * share:.0f}% of hours"


class EnergyStudy:
    """What runs and trainings cost."""

    name = "energy"
    exhibit = TABLE
    about = "hardware, precision, batch, hours, electricity and CO2 of runs and trainings"
    needs = "runs or trainings: those of --run, or all in the folder of the studies"
    min_models: int = 0
    options = UsedOptions(of_runs=frozenset())

    def plan(self, request: StudyRequest) -> Sequence[Step]:
        """The folders that are read. No model is used.

        Raises:
            UsageError: there is none.
        """
        steps = cost_steps(request.runs or [request.out])
        if not steps:
            raise UsageError(
                "no run and no training",
                expected="a folder that evaluate, align or tune wrote, or studies that were made",
                got=", ".join(map(str, request.runs or [request.out])),
                where="--run" if request.runs else "--out",
            )
        return steps

    def build(self, request: StudyRequest, steps: Sequence[Step]) -> Exhibit:
        """The table of these folders, and that of the paper."""
        del request
        costs = [cost for step in steps if isinstance(step, CostStep) and (cost := read_cost(step.folder))]
        intensity = None if reason_against() else carbon_intensity()
        rows = _rows(costs, intensity)
        printed = figures([TABLE])
        results = [each for row in rows for each in _result_rows(row)]
        results += [each for figure in printed for each in figure.rows()]
        return Exhibit(
            study=self.name,
            title="Time, hardware, energy and CO2",
            tables=(_measured(rows), _printed(printed)),
            results=ResultTable(tuple(results)),
            charts=_charts(rows, printed),
            notes=(*_notes(costs, rows), *remarks(printed)),
        )


def _rows(costs: Sequence[FolderCost], intensity: CarbonIntensity | None) -> list[CostRow]:
    """One row for each model, machine, precision and batch; evaluations first, as in the paper."""
    sessions: dict[_Key, list[Session]] = {}
    folders: dict[_Key, set[str]] = {}
    for cost in costs:
        for each in cost.sessions:
            key = _Key(cost.kind, cost.model, each.hardware, each.precision, each.batch)
            sessions.setdefault(key, []).append(each)
            folders.setdefault(key, set()).add(str(cost.folder))
    found: list[CostRow] = []
    for key in sorted(sessions):
        total = total_of(sessions[key])
        later = ""
        if total.kwh is not None and total.kg_co2 is None and intensity is not None:
            total = replace(total, kg_co2=total.kwh * intensity.kg_per_kwh, places=(intensity.place,))
            later = intensity.place
        found.append(CostRow(key, len(folders[key]), total, later))
    return found


def _names(rows: Sequence[CostRow]) -> dict[str, str]:
    """By model its name in tables and charts: a long one without its folder or organisation, where that is distinct."""
    known = list(dict.fromkeys(row.key.model for row in rows))
    bases = {model: model.partition(", ") for model in known}
    distinct = {base for base, _, _ in bases.values()}
    last = {base: PurePath(base.replace("\\", "/")).name for base in distinct}

    def shown(base: str) -> str:
        is_long = len(base) > _LONG_NAME and list(last.values()).count(last[base]) == 1
        return last[base] if is_long else base

    return {model: f"{shown(base)}{comma}{method}" for model, (base, comma, method) in bases.items()}


def _charts(rows: Sequence[CostRow], printed: Sequence[PublishedFigure]) -> dict[str, Chart]:
    """Energy of models and kinds of work, or their hours where no energy is known; and the paper's CO2."""
    names = _names(rows)
    works: dict[tuple[str, str], list[CostRow]] = {}
    for row in rows:
        works.setdefault((names[row.key.model], row.key.kind), []).append(row)
    totals = {work: total_of_rows(of) for work, of in works.items()}
    energies = {work: total.kwh for work, total in totals.items() if total.kwh is not None}
    charts: dict[str, Chart] = {}
    if energies:
        scale, unit = (1.0, "kWh") if max(energies.values()) >= 1 else (1000.0, "Wh")
        basis = total_of_rows(rows).basis
        marks = [Bar(model, kind, scale * kwh) for (model, kind), kwh in energies.items()]
        charts["energy"] = bars(
            marks, title=f"Energy by model and work ({basis})", axis=f"energy ({unit})", number=".3g", group_order=KINDS
        )
    elif totals:
        marks = [Bar(model, kind, total.wall_s / _HOUR) for (model, kind), total in totals.items()]
        charts["hours"] = bars(
            marks, title="Hours by model and work", axis="elapsed time (hours)", number=".3g", group_order=KINDS
        )
    marks = [
        Bar(each.model, each.row.split(", ")[1], float(each.value))
        for each in printed
        if each.statistic == "CO2" and each.row.count(", ") == 3
    ]
    charts["co2-printed"] = bars(
        marks, title=f"The paper's estimates ({TABLE})", axis="CO2 (kg)", number=".3g", group_order=KINDS
    )
    return charts


def _measured(rows: Sequence[CostRow]) -> ExhibitTable:
    names = _names(rows)
    shown = [
        (
            names[row.key.model].replace(", ", "\n"),
            _work(row.key),
            str(row.folders),
            *_numbers(row.total),
        )
        for row in rows
    ]
    if len(rows) > 1:
        sums = total_of_rows(rows)
        shown.append(("all", "", str(sum(row.folders for row in rows)), *_numbers(sums)))
    return ExhibitTable(
        "Runs and trainings",
        ("model", "work", "runs", "hours", "CPU hours", "kWh", "kg CO2", "energy"),
        tuple(shown),
        ("runs: how many folders; hours: elapsed, over all parts; measured: by RAPL or NVML",),
        num_names=2,
        num_texts=1,
    )


def _work(key: _Key) -> str:
    """Kind, precision, hardware and batch in one cell: four columns would fold the names of models."""
    first = ", ".join(filter(None, (key.kind, key.precision)))
    return "\n".join(filter(None, (first, key.hardware.replace("; ", "\n"), key.batch)))


def _numbers(total: SessionTotals) -> tuple[str, ...]:
    kwh = "" if total.kwh is None else f"{total.kwh:.3g}"
    kg = "" if total.kg_co2 is None else f"{total.kg_co2:.3g}"
    return _hours(total.wall_s), _hours(total.cpu_s), kwh, kg, _basis(total) if kwh else ""


def total_of_rows(rows: Sequence[CostRow]) -> SessionTotals:
    """The sum of rows; no CO2 where one row with energy has none."""
    energies = [row.total.kwh for row in rows if row.total.kwh is not None]
    emitted = [row.total.kg_co2 for row in rows if row.total.kg_co2 is not None]
    return SessionTotals(
        wall_s=sum(row.total.wall_s for row in rows),
        cpu_s=sum(row.total.cpu_s for row in rows),
        kwh=sum(energies) if energies else None,
        measured_kwh=sum(row.total.measured_kwh for row in rows),
        kg_co2=sum(emitted) if energies and len(emitted) == len(energies) else None,
        tracked_s=sum(row.total.tracked_s for row in rows),
    )


def _printed(printed: Sequence[PublishedFigure]) -> ExhibitTable:
    """Table 8. The row of a figure holds the model, the work, the hardware and the precision."""
    by_row: dict[str, dict[str, str]] = {}
    for each in printed:
        by_row.setdefault(each.row, {})[each.statistic] = each.value
    rows = [
        (*row.split(", "), *(values.get(name, "") for name in ("batch", "hours", "CO2")))
        for row, values in by_row.items()
        if row.count(", ") == 3
    ]
    total = next(values["CO2"] for row, values in by_row.items() if row.count(", ") != 3)
    return ExhibitTable(
        f"The paper's figures ({TABLE})",
        ("model", "work", "hardware", "precision", "batch", "hours", "kg CO2"),
        (*rows, ("all", "", "", "", "", "", total)),
        ("estimated, not measured: to 0.1 kg, every row is hours x 0.3 kW (A100: 0.4 kW) x 0.21 kg per kWh",),
        num_names=4,
    )


def _notes(costs: Sequence[FolderCost], rows: Sequence[CostRow]) -> Iterator[str]:
    older = sum(not cost.is_recorded for cost in costs)
    if older:
        yield (
            f"{older} of {len(costs)} folders are of an earlier version, without a record of their sessions: their "
            "hours are those spent in the model"
        )
    for reason in dict.fromkeys(reason for row in rows for reason in row.total.reasons):
        number = sum(any(each.no_energy == reason for each in cost.sessions) for cost in costs)
        yield f"no energy of {number} of {len(costs)} folders, or of a part of them: {reason}"
    lost = sum(cost.unrecorded_s for cost in costs)
    if lost > 1:
        yield f"{_hours(lost)} hours in the model are in no session: a process was killed before it recorded them"
    places = dict.fromkeys(place for row in rows for place in row.total.places)
    if places:
        yield f"CO2 of the electricity of: {', '.join(places)}"
    elif any(row.total.kwh is not None for row in rows):
        yield "no CO2: set CODECARBON_COUNTRY_ISO_CODE to the country of the machine (docs/energy.md)"
    if any(row.later_place for row in rows):
        yield "where the electricity comes from was not known when some of this was computed, and is taken as it is now"


def _result_rows(row: CostRow) -> Iterator[ResultRow]:
    total = row.total
    values: dict[str, tuple[float | None, str, str]] = {
        "hours": (total.wall_s / _HOUR, "h", "clock"),
        "CPU hours": (total.cpu_s / _HOUR, "h", "process times"),
        "energy": (total.kwh, "kWh", f"{row.basis}; {', '.join(total.sources)}".replace("\n", " ")),
        "energy measured": (None if total.kwh is None else total.measured_kwh, "kWh", "meters of the hardware"),
        "CO2": (total.kg_co2, "kg", f"{row.basis}; {', '.join(total.places)}".replace("\n", " ")),
    }
    place = ", ".join(filter(None, (row.key.hardware, row.key.precision, row.key.batch)))
    for statistic, (value, unit, method) in values.items():
        if value is not None:
            yield ResultRow(
                run=row.key.model,
                level=Level.OVERALL,
                group=row.key.kind,
                statistic=statistic,
                estimate=value,
                n=row.folders,
                method=f"{method}; {place}",
                unit=unit,
            )


def _hours(seconds: float) -> str:
    return f"{seconds / _HOUR:.3g}"
