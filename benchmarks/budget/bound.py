"""The lowest errors of any estimate from a share of a simulated grid: those of the exact posterior.

The posterior knows the simulation's model with all its numbers: the distributions of abilities and difficulties, and of
an answer given both. The draws of its exact posterior (Gibbs sampling on fine nodes) then give each quantile's median,
which has the smallest possible expected absolute error. In practice the numbers are unknown. So there is a second
bound, without knowledge of the mean and the spread of the normal distribution of the abilities (flat priors). The error
of an estimate beyond that comes from not knowing the form either, and from its own faults.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import special

DRAWS, BURN_IN = 200, 60


class Known(NamedTuple):
    """How a grid is made.

    Attributes:
        nodes: the values of abilities, in logits.
        chance: of a right answer [abilities, difficulties].
        abilities, difficulties: the priors' masses.
        learns: `abilities` is only the start; a normal distribution is learned.
    """

    nodes: Any
    chance: Any
    abilities: Any
    difficulties: Any
    learns: bool


def known(kind: str, *, learns: bool = False) -> Known:
    """The model that `benchmarks.budget.__main__.simulated` draws a kind from."""
    ability = np.linspace(-4.0, 5.0, 121) if learns else np.linspace(-1.0, 2.2, 65)
    abilities = np.exp(-0.5 * ((ability - 0.6) / 0.4) ** 2)
    difficulty = np.linspace(-6.0, 6.0, 81)
    difficulties = np.exp(-0.5 * (difficulty / 1.5) ** 2)
    if kind == "two-sided":
        steps = np.linspace(-1.2, 1.2, 33)
        difficulty = np.concatenate([steps - 3.0, steps + 1.5])
        bell = np.exp(-0.5 * (steps / 0.3) ** 2)
        difficulties = np.concatenate([0.6 * bell, 0.4 * bell])
    odds = ability[:, None] - difficulty
    chance = special.expit(odds)
    if kind == "mixed":
        places, masses = np.polynomial.hermite_e.hermegauss(21)
        chance = special.expit(odds[..., None] + 1.1 * places) @ masses / masses.sum()
    if kind == "two-kinds":
        # Of guesses only that one in four is right: habits of guessing, which tie examples together, are left out.
        chance, abilities, difficulties = np.array([[0.25], [1 - 1e-9]]), np.array([1 / 3, 2 / 3]), np.ones(1)
    return Known(ability, chance, abilities / abilities.sum(), difficulties / difficulties.sum(), learns)


def draw_knowing(scores: Any, seen: Any, model: Known, seed: int) -> Any:
    """Draws of every wording's accuracy on the whole grid, [draws, wordings].

    Args:
        scores, seen: [wordings, examples], as in `phraseproof.analysis.estimators.rasch.Grid`.
    """
    draw = np.random.default_rng(seed)
    met = seen.any(axis=0)
    right, wrong = scores[:, met], (seen - scores)[:, met]
    log_right, log_wrong = np.log(model.chance), np.log1p(-model.chance)
    abilities = np.full(len(scores), len(model.abilities) // 2)
    prior = model.abilities
    kept: list[Any] = []
    for sweep in range(BURN_IN + 2 * DRAWS):
        logs = right.T @ log_right[abilities] + wrong.T @ log_wrong[abilities] + np.log(model.difficulties)
        at_node = np.eye(len(model.difficulties))[_pick(logs, draw)]
        rights, wrongs = right @ at_node, wrong @ at_node
        abilities = _pick(rights @ log_right.T + wrongs @ log_wrong.T + np.log(prior + 1e-300), draw)
        if model.learns:
            prior = _learn(model.nodes, model.nodes[abilities], draw)
        if sweep >= BURN_IN and sweep % 2:
            unmet = draw.multinomial(int(np.sum(~met)), model.difficulties)
            rest = np.rint(at_node.sum(axis=0) + unmet - rights - wrongs).astype(int)
            kept.append(right.sum(axis=1) + draw.binomial(rest, model.chance[abilities]).sum(axis=1))
    return np.stack(kept) / scores.shape[1]


def _learn(nodes: Any, abilities: Any, draw: np.random.Generator) -> Any:
    """Masses at the nodes of a normal distribution whose spread and mean are drawn given the abilities."""
    spreads = np.linspace(0.04, 3.0, 75)
    count, squares = len(abilities), np.sum((abilities - abilities.mean()) ** 2)
    spread = spreads[_pick((-(count - 1) * np.log(spreads) - 0.5 * squares / spreads**2)[None], draw)[0]]
    mean = abilities.mean() + spread / np.sqrt(count) * draw.standard_normal()
    masses = np.exp(-0.5 * ((nodes - mean) / spread) ** 2)
    return masses / masses.sum()


def _pick(logs: Any, draw: np.random.Generator) -> Any:
    cumulative = np.cumsum(np.exp(logs - logs.max(axis=1, keepdims=True)), axis=1)
    return np.sum(cumulative < draw.random((len(logs), 1)) * cumulative[:, -1:], axis=1)
