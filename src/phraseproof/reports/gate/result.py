"""What a gate found: every check, and whether all limits are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.grids import metric_of
from phraseproof.analysis.readings import require_one_reading
from phraseproof.analysis.result_rows import RowSource
from phraseproof.analysis.results import ResultTable
from phraseproof.evaluation.half_precision import half_precision
from phraseproof.reports.build.readings import labelled_reading_lines
from phraseproof.reports.build.runs import half_precision_notes, model_name
from phraseproof.reports.build.text import printable
from phraseproof.reports.format.results import results_json
from phraseproof.reports.gate.checks import check_run
from phraseproof.reports.gate.limits import LimitCheck, Limits, On
from phraseproof.reports.gate.rows import check_rows

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

_NAMED = 5


@dataclass(frozen=True, slots=True, repr=False)
class GateResult:
    """The checks of a run against limits. True in a condition if all limits are kept.

    Attributes:
        name: the model and the run folder.
        checks: one per limit and place; in the order of the limits, the worst first.
        notes: what a reader must know to interpret the checks.
        warnings: what was not checked although it might have been expected.
        results: the checks as rows: what was measured, and its distance to the limit, below 0 where it is broken.
    """

    name: str
    checks: tuple[LimitCheck, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    results: ResultTable = field(default_factory=lambda: ResultTable(()))

    @property
    def passed(self) -> bool:
        """Whether all limits are kept."""
        return all(check.is_kept for check in self.checks)

    @property
    def broken(self) -> tuple[LimitCheck, ...]:
        """The checks whose limits are not kept."""
        return tuple(check for check in self.checks if not check.is_kept)

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        word = "passed" if self.passed else f"{len(self.broken)} of {len(self.checks)} checks broken"
        return "\n".join([f"GateResult: {word}", *(f"  {check.option}: {check.line}" for check in self.broken[:20])])

    def to_dict(self) -> dict[str, object]:
        """Return the result as plain data; keys are stable and described in docs/gate.md."""
        names = ("option", "place", "value", "is_kept", "line")
        rows = [{name: getattr(check, name) for name in names} for check in self.checks]
        results = results_json(self.results)
        return {"passed": self.passed, "checks": rows, "notes": list(self.notes), "results": results}


def gate_run(
    run: Run, limits: Limits, *, on: On = On.ESTIMATE, at: Level = Level.TASK, other: Run | None = None
) -> GateResult:
    """Hold a run against limits; arguments and errors are those of `check_run`."""
    runs = [run] if other is None else [run, other]
    require_one_reading(runs)
    checks = check_run(run, limits, on=on, at=at, other=other)
    notes = labelled_reading_lines(runs) + half_precision_notes({str(each.path): half_precision(each) for each in runs})
    warnings = [] if other is None else _tasks_not_compared(run, other)
    source = RowSource(run.name, 0, run.scoring, metric_of(run))
    rows = [row for check in checks for row in check_rows(check, source)]
    broken = [f"broken: {check.option}: {check.line}" for check in checks if not check.is_kept]
    results = ResultTable(tuple(rows), (*broken, *notes))
    return GateResult(f"{model_name(run)}, {run.name}", tuple(checks), tuple(notes), tuple(warnings), results)


def _tasks_not_compared(run: Run, other: Run) -> list[str]:
    """A line if the other run has tasks that this one lacks: they are not compared, and no check reports this."""
    missing = sorted({cell.task for cell in other.cells} - {cell.task for cell in run.cells})
    if not missing:
        return []
    names = printable(", ".join(missing[:_NAMED])) + (", ..." if len(missing) > _NAMED else "")
    plural = "tasks" if len(missing) > 1 else "task"
    return [f"{run.name}: {len(missing)} {plural} of {other.name} not compared: {names}"]
