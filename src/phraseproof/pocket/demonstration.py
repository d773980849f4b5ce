"""The steps of the demo: measure the shipped model, align it, and measure it again on wordings it never saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from phraseproof.alignment.loop.log import AlignmentObserver
from phraseproof.alignment.trainer import train
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.paired import compare_runs
from phraseproof.core import Finding
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.evaluation.observer import Observer
from phraseproof.models import ModelOptions, load_model
from phraseproof.pocket.figures import OVERALL, Figure, figures
from phraseproof.pocket.mitigation import SETTINGS, mitigation_pairs
from phraseproof.store.queries import Run

MODEL = "pocket"
OBSERVED, UNOBSERVED = "observed", "unobserved"
_GROUPS = {OBSERVED: "pocket-observed", UNOBSERVED: "pocket-test"}


class Demonstration(NamedTuple):
    """The demo's outcome.

    Attributes:
        base, aligned: accuracy of all kinds in percent, observed first, and the gap, before and after alignment.
        gain: on unobserved wordings, aligned minus base, as `phraseproof compare` has it (a share, not percent).
    """

    base: Figure
    aligned: Figure
    gain: Finding


def measure(folder: Path, *, limit: int, adapter: Path | None, observer: Observer) -> Run:
    """The shipped model, with or without an adapter, under observed and unobserved wordings.

    Args:
        folder: of the run; what is there already is not computed again.
        limit: questions of each task.
    """
    # A loaded model is passed: one given by name would warn that alignment has seen the observed wordings, as intended.
    model = load_model(MODEL, ModelOptions(adapter=adapter))
    return evaluate(model, "pocket", _GROUPS, folder, limit=limit, observer=observer)


def reduce_sensitivity(folder: Path, *, seed: int, observer: AlignmentObserver) -> int:
    """Train the adapter into the folder, unless it is there. Returns the number of training pairs."""
    pairs = mitigation_pairs()
    train(MODEL, pairs, folder, replace(SETTINGS, seed=seed), observer=observer)
    return len(pairs)


def conclude(base: Run, aligned: Run) -> Demonstration:
    """Compare two runs of `measure`, without and with the adapter."""
    (compared,) = compare_runs(load_grids(base), load_grids(aligned))
    gain = replace(compared.overall.groups[UNOBSERVED], name="aligned minus base")
    return Demonstration(_all_kinds(base), _all_kinds(aligned), gain)


def _all_kinds(run: Run) -> Figure:
    return next(figure for figure in figures(run, OBSERVED, UNOBSERVED) if figure.kind == OVERALL)
