"""The steps of the demo: measure the shipped model, align it, and measure it again under unobserved wordings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

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
from phraseproof.training.log import TrainingObserver

MODEL = "pocket"
OBSERVED, UNOBSERVED = "observed", "unobserved"
_GROUPS = {OBSERVED: "pocket-observed", UNOBSERVED: "pocket-test"}


class Demonstration(NamedTuple):
    """The result of the demo.

    Attributes:
        base, aligned: mean accuracy of all kinds in percent, before and after alignment: under observed wordings,
            under unobserved wordings, and the gap.
        gain: aligned minus base under unobserved wordings, paired as in `phraseproof compare`. A share from -1 to 1,
            not percent.
    """

    base: Figure
    aligned: Figure
    gain: Finding


def measure(folder: Path, *, limit: int, adapter: Path | None, observer: Observer) -> Run:
    """Evaluate the shipped model under observed and unobserved wordings.

    Args:
        folder: the run folder. Cells that it holds are not computed again.
        limit: the maximum number of questions per task.
        adapter: the folder of an adapter to evaluate with the model, or None.
        observer: is notified of the progress.
    """
    # `evaluate` warns if an adapter was trained on wordings under test. Here this is intended for the observed
    # wordings. A loaded model instead of its name avoids the warning.
    model = load_model(MODEL, ModelOptions(adapter=adapter))
    return evaluate(model, "pocket", _GROUPS, folder, limit=limit, observer=observer)


def reduce_sensitivity(folder: Path, *, seed: int, observer: TrainingObserver) -> int:
    """Train the adapter and write it to the folder, unless it is there already.

    Returns:
        The number of training pairs.
    """
    pairs = mitigation_pairs()
    train(MODEL, pairs, folder, replace(SETTINGS, seed=seed), observer=observer)
    return len(pairs)


def conclude(base: Run, aligned: Run) -> Demonstration:
    """Compare two runs of `measure`: without the adapter and with it."""
    (compared,) = compare_runs(load_grids(base), load_grids(aligned))
    gain = replace(compared.overall.groups[UNOBSERVED], name="aligned minus base")
    return Demonstration(_all_kinds(base), _all_kinds(aligned), gain)


def _all_kinds(run: Run) -> Figure:
    return next(figure for figure in figures(run, OBSERVED, UNOBSERVED) if figure.kind == OVERALL)
