"""Whether larger models depend less on the wording: the gap between groups by the number of parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.regression import least_squares
from phraseproof.analysis.robustness import summarize
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError

if TYPE_CHECKING:
    from phraseproof.store.queries import Run

_CONFIDENCE = 0.95


class ScalePoint(NamedTuple):
    """One task of one model.

    Attributes:
        parameters: of the model.
        gap: the reference group's mean minus the other group's, as scores are stored: the paper's observed minus
            unobserved.
        run: the run folder.
        num_fewshot: demonstrations per prompt.
    """

    model: str
    parameters: int
    task: str
    gap: float
    run: str = ""
    num_fewshot: int = 0


@dataclass(frozen=True, slots=True)
class Scaling:
    """A straight line through the gaps.

    Attributes:
        slope: the change of the gap per tenfold of parameters (`per_tenfold`) or per parameter;
            with interval and p-value (t-test against 0, as if all points were independent).
        intercept: the gap at one parameter, or at none.
        r_squared: the share of the gaps' variance that size explains.
    """

    points: tuple[ScalePoint, ...]
    per_tenfold: bool
    slope: Finding
    intercept: float
    r_squared: float


def scale_points(
    run: Run, *, group: str | None = None, reference: str | None = None, parameters: int | None = None
) -> list[ScalePoint]:
    """The gap of each task of a run, at its lowest number of demonstrations.

    Args:
        group, reference: two groups of wordings; the run's second and first by default.
        parameters: the number of the model's parameters, if the run does not hold it.

    Raises:
        NotEnoughDataError: the model's size is not known, or no task has both groups.
        UsageError: the run has no such group.
    """
    size = parameters or run.model_parameters
    if size is None:
        raise NotEnoughDataError(
            "the run does not say how many parameters its model has",
            where=run.name,
            hint="Give it with --parameters RUN=NUMBER",
        )
    first = reference or run.groups[0]
    summary = summarize(run.wording_scores(), group_order=[first])[0]
    other = group or next((name for name in summary.groups if name != first), None)
    if other is None:
        raise NotEnoughDataError("a gap needs two groups of wordings", got=first, where=run.name)
    if other not in summary.groups:
        raise UsageError(f"no group of wordings is called {other!r}", expected=f"one of: {', '.join(summary.groups)}")
    model = str(run.settings.get("model", {}).get("name", run.path.name))
    points = [
        ScalePoint(model, size, row.name, -row.differences[other].value, run.name, summary.num_fewshot)
        for row in summary.tasks
        if other in row.differences
    ]
    if not points:
        raise NotEnoughDataError(f"no task has wordings of both {first} and {other}", where=run.name)
    return points


def scaling(points: Sequence[ScalePoint], *, per_tenfold: bool = True) -> Scaling:
    """Ordinary least squares of the gap on size (paper, section 4.3 and appendix H).

    Args:
        points: one per task and model.
        per_tenfold: regress on the decimal logarithm of the number of parameters; the paper regresses on the number.

    Raises:
        NotEnoughDataError: fewer than three points, or models of one size only.
    """
    sizes = {point.parameters for point in points}
    if len(points) < 3 or len(sizes) < 2:
        raise NotEnoughDataError(
            "a regression on size needs at least three points and two sizes",
            got=f"{len(points)} and {len(sizes)}",
        )
    x = [math.log10(point.parameters) if per_tenfold else point.parameters for point in points]
    y = [point.gap for point in points]
    unit = "gap per tenfold parameters" if per_tenfold else "gap per parameter"
    if max(y) - min(y) < 1e-12:
        slope = Finding(unit, 0.0, len(points), "least squares (limit: all gaps are equal)", 0.0, 0.0, 1.0)
        return Scaling(tuple(points), per_tenfold, slope, y[0], 0.0)
    line = least_squares(x, y, confidence=_CONFIDENCE)
    slope = Finding(
        unit,
        line.slope,
        len(points),
        "least squares over tasks and models, t-test",
        line.low,
        line.high,
        line.p_value,
        line.standard_error,
        len(points) - 2,
    )
    return Scaling(tuple(points), per_tenfold, slope, line.intercept, line.r_squared)
