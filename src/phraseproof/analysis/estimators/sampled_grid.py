"""From the scored cells of a task to a grid, and to the posterior's draws of every wording's accuracy on it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from phraseproof.analysis.estimators.rasch import VERSION, Grid, draw_accuracies
from phraseproof.analysis.grids import Floats
from phraseproof.core import Cell
from phraseproof.errors import NotEnoughDataError, RunError
from phraseproof.identity import content_hash
from phraseproof.store.estimates import KeptDraws

DRAWS = 300


def sampled_grid(
    cells: Mapping[Cell, Mapping[str, float]],
    groups: Sequence[str],
    texts: Mapping[tuple[str, str], str] | None,
) -> Grid:
    """The scored part of a task, one row per cell.

    Args:
        cells: each cell's scores by example.
        groups: of the run, in order.
        texts: of wordings by task and instruction, where features of them are wanted.

    Raises:
        RunError: scores are not between 0 and 1.
    """
    first = next(iter(cells))
    examples = {
        example: place for place, example in enumerate(dict.fromkeys(id_ for row in cells.values() for id_ in row))
    }
    width = max(len(examples), *(cell.grid_examples or cell.num_examples for cell in cells))
    scores, seen = np.zeros((len(cells), width)), np.zeros((len(cells), width))
    for row, of_cell in enumerate(cells.values()):
        places = [examples[example] for example in of_cell]
        scores[row, places] = list(of_cell.values())
        seen[row, places] = 1.0
    if not (np.isfinite(scores).all() and scores.min() >= 0 and scores.max() <= 1):
        raise RunError(
            f"scores of {first.task!r} cannot be estimated from a share of them",
            expected="scores from 0 to 1",
            got=f"scores in the metric {first.metric!r}",
        )
    features = np.zeros((len(cells), 0))
    if texts is not None:
        from phraseproof.analysis.estimators.wording_features import wording_features

        features = wording_features([texts.get((cell.task, cell.instruction), "") for cell in cells])
    # In the order of the run, not the order shown: the same grid is drawn once.
    present = list(dict.fromkeys(sorted((cell.group for cell in cells), key=groups.index)))
    of_row = np.array([present.index(cell.group) for cell in cells], dtype=np.int64)
    return Grid(scores, seen, of_row, features)


def kept_or_drawn(grid: Grid, seed: int, kept: KeptDraws) -> Floats:
    """The draws that the run's folder keeps for this very grid and seed, or new ones, which are then kept."""
    if grid.seen.all():
        return estimate_grid(grid, seed=seed)
    parts = [grid.scores, grid.seen, grid.groups, grid.features]
    digests = [[list(part.shape), hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()] for part in parts]
    key = content_hash([VERSION, DRAWS, seed, digests])
    drawn = kept.get(key)
    if drawn is None:
        drawn = estimate_grid(grid, seed=seed)
        kept.put(key, drawn)
    return drawn


def estimate_grid(grid: Grid, *, seed: int = 0) -> Floats:
    """The posterior's draws of every wording's accuracy on a complete grid of which a part was scored.

    Returns:
        [draws, wordings], fractions.

    Raises:
        NotEnoughDataError: no cell of a wording was scored.
    """
    if not grid.seen.any(axis=1).all():
        raise NotEnoughDataError("a wording has no outcome", expected="at least one example scored for each wording")
    if grid.seen.all():
        return np.repeat(grid.scores.mean(axis=1)[None], 2, axis=0)
    draw = np.random.default_rng(seed)
    # In random order, so that the draws of two tasks can be paired as independent.
    return draw.permutation(draw_accuracies(grid, DRAWS, draw))
