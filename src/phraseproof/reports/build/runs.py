"""Runs as reports see them: the numbers and names that tables, pages and gates are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from phraseproof.analysis.grids import metric_of
from phraseproof.evaluation.half_precision import half_precision
from phraseproof.reports.build.run_tables import RunScores, half_precision_line

if TYPE_CHECKING:
    from phraseproof.evaluation.half_precision import HalfPrecision
    from phraseproof.store.queries import Run


def run_scores(run: Run, *, estimated: bool = False) -> RunScores:
    """Return everything that a table needs of an open run.

    Args:
        estimated: use estimates for the accuracies of a run with a budget; the caller must label them as estimates.

    Raises:
        RunError: no cell is done, one is damaged, or the run has a budget and estimates were not asked for.
    """
    if estimated:
        from phraseproof.analysis.estimators.budget import scores_or_estimates

        scores = scores_or_estimates(run)
    else:
        scores = run.wording_scores()
    return RunScores(
        str(run.path), model_name(run), scores, run.wording_texts(), half_precision(run), metric_of(run), run.scoring
    )


def model_name(run: Run) -> str:
    """The model as the user named it, with a hash of its adapter if there is one; failing that, the folder's name."""
    model: Any = run.settings.get("model")
    if not isinstance(model, Mapping):
        return model if isinstance(model, str) else run.path.name
    identity = cast("Mapping[str, str | None]", model)
    adapter = identity.get("adapter")
    return (identity.get("name") or run.path.name) + (f" + adapter {adapter[:8]}" if adapter else "")


def half_precision_notes(found: Mapping[str, HalfPrecision | None]) -> list[str]:
    """A line for each run that was computed in half precision, which may be none; by the runs' paths."""
    return [f"{path}: {half_precision_line(each)}" for path, each in found.items() if each is not None]


def present_groups(runs: Sequence[Run], scores: Sequence[RunScores]) -> list[str]:
    """The groups that have scores, in the order in which `evaluate` was given them."""
    present = {score.group for of_run in scores for score in of_run.scores}
    return [name for name in dict.fromkeys(group for run in runs for group in run.groups) if name in present]
