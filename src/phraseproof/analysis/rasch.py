"""The Rasch model of a sampled grid: each wording has an ability, each example a difficulty (Polo et al. 2024, 3).

    P(wording i is right on example j) = 1 / (1 + exp(difficulty_j - ability_i))

PromptEval fits it as a logistic regression with a ridge. Here the ridge is a prior whose width the data choose, so that
abilities shrink by as much as they must and no more:

    difficulty_j ~ Normal(0, s_d²),    abilities ~ Normal(0, 25 Z Zᵀ + s_f² F Fᵀ + diag(s_g²))

Z tells each wording's group, F holds wording features (covariates), s_g is the spread of group g around its mean. The
difficulties are integrated out on a grid of nodes (marginal maximum likelihood, Bock & Aitkin 1981): an example that
was met once or twice says too little for its difficulty to be put at its most probable value, and accuracies would come
out too low or too high by some points. Abilities rest on many cells each: there Laplace's approximation serves, for
their posterior and for the marginal likelihood that the widths maximise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import optimize, special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

MEAN_VARIANCE = 25.0
"""The prior variance of a group's mean ability, in squared logits: as good as flat for accuracies of 1% to 99%."""

NODES = np.linspace(-4.5, 4.5, 41)
"""Where difficulties are looked at, in standard deviations: dense enough for the posterior of one with 70 answers."""

_LOG_MASS = -0.5 * NODES**2 - special.logsumexp(-0.5 * NODES**2)
_WIDTH_LIMITS = (float(np.log(0.01)), float(np.log(6.0)))
_WIDTH_NODES = 11
_PROPOSALS = 4
_START = {"difficulty": 0.3, "group": -1.2, "features": -2.0}


@dataclass(frozen=True)
class Grid:
    """The observed cells of a grid of wordings and examples.

    Attributes:
        scores: [wordings, examples], between 0 and 1; 0 where a cell was not observed.
        seen: [wordings, examples], 1 where a cell was observed and 0 elsewhere.
        groups: the group of each wording, as an index from 0.
        features: [wordings, features], centred and scaled; no column where there are none.
    """

    scores: Floats
    seen: Floats
    groups: Integers
    features: Floats


class Widths(NamedTuple):
    """The prior's standard deviations, in logits.

    Attributes:
        difficulty: of examples.
        groups: of abilities around the mean of their group, one a group.
        features: of the effect of one feature; 0 without features.
    """

    difficulty: float
    groups: tuple[float, ...]
    features: float


@dataclass(frozen=True)
class Fit:
    """The abilities' posterior under given widths, by Laplace's approximation.

    Attributes:
        abilities: the mode, in logits.
        log_evidence: of the data under these widths.
        widths: the prior's.
        root: a Cholesky root of the abilities' prior covariance.
        precision: of the whitened abilities: of z, where the abilities are `root @ z`.
    """

    abilities: Floats
    log_evidence: float
    widths: Widths
    root: Floats
    precision: Floats


def fit(grid: Grid, widths: Widths, start: Fit | None = None) -> Fit:
    """The most probable abilities under given widths (scipy's L-BFGS on the penalised marginal likelihood).

    Args:
        start: where to begin, to be faster; the answer does not depend on it.
    """
    root: Floats = np.asarray(np.linalg.cholesky(_ability_covariance(grid, widths)), dtype=np.float64)

    def objective(point: Floats) -> tuple[float, Floats]:
        # Whitened: the prior of every coordinate is standard normal, which keeps the problem well conditioned.
        abilities = root @ point
        chance = _chances(abilities, widths)
        posterior, log_likelihood = _difficulty_posterior(grid, abilities, widths)
        met = grid.seen @ posterior
        gradient = grid.scores.sum(axis=1) - np.sum(met * chance, axis=1)
        return 0.5 * float(point @ point) - log_likelihood, point - root.T @ gradient

    begin = np.zeros(len(root)) if start is None else np.linalg.solve(root, start.abilities)
    options = {"maxcor": 20, "ftol": 1e-12, "gtol": 1e-5, "maxiter": 1000, "maxfun": 2000}
    found = optimize.minimize(objective, begin, jac=True, method="L-BFGS-B", options=options)
    abilities = root @ found.x
    precision = np.eye(len(root)) + root.T @ _information(grid, abilities, widths) @ root
    evidence = -float(found.fun) - 0.5 * float(np.linalg.slogdet(precision)[1])
    return Fit(abilities, evidence, widths, root, precision)


def best_fit(grid: Grid) -> Fit:
    """The fit under the widths that the data make most probable (scipy's Nelder-Mead).

    Widths have half-normal priors with a scale of two logits, taken on the log scale, which keeps
    them from zero and from infinity where the data say nothing of them.
    """
    groups = int(grid.groups.max()) + 1
    names = ["difficulty", *["group"] * groups, *(["features"] if grid.features.shape[1] else [])]
    last: list[Fit | None] = [None]

    def objective(logs: Floats) -> float:
        last[0] = fit(grid, _widths(logs, groups), last[0])
        return -last[0].log_evidence - _log_prior(logs)

    begin = np.array([_START[name] for name in names])
    simplex = np.vstack([begin, *(begin + 0.8 * row for row in np.eye(len(begin)))])
    options = {"initial_simplex": simplex, "xatol": 0.1, "fatol": 0.05, "maxfev": 40 * len(names)}
    bounds = [_WIDTH_LIMITS] * len(names)
    found = optimize.minimize(objective, begin, method="Nelder-Mead", bounds=bounds, options=options)
    return fit(grid, _widths(found.x, groups), last[0])


def plausible_fits(grid: Grid, best: Fit, count: int, draw: np.random.Generator) -> list[Fit]:
    """Fits under group widths drawn from their posteriors, the other widths at their best.

    How far a few wordings spread is uncertain, and an interval of a quantile that took the best width for the true one
    would be too short. Each group's width is drawn from its own posterior on a grid, in strata.
    """
    nodes = np.linspace(*_WIDTH_LIMITS, _WIDTH_NODES)
    fine = np.linspace(*_WIDTH_LIMITS, 20 * _WIDTH_NODES)
    columns: list[Floats] = []
    for group in range(len(best.widths.groups)):
        logs: list[float] = []
        last = best
        for node in nodes:
            widths = list(best.widths.groups)
            widths[group] = float(np.exp(node))
            last = fit(grid, best.widths._replace(groups=tuple(widths)), last)
            logs.append(last.log_evidence + _log_prior(np.array([node])))
        density = np.exp(np.interp(fine, nodes, logs) - max(logs))
        cumulative = np.cumsum(density) / density.sum()
        strata = (draw.permutation(count) + draw.random(count)) / count
        columns.append(np.exp(np.interp(strata, cumulative, fine)))
    return [fit(grid, best.widths._replace(groups=tuple(map(float, row))), best) for row in np.stack(columns, axis=1)]


def draw_accuracies(grid: Grid, found: Fit, count: int, draw: np.random.Generator) -> Floats:
    """Draws of every wording's accuracy on the whole grid: what was observed, and what is predicted for the rest.

    Abilities come from their posterior, each example's difficulty from its own given these, and the answers that were
    not observed from both (their sum as a normal, kept within what is possible). Where accuracies are near 0 or 1 the
    abilities' posterior is lopsided, which Laplace's normal is not: more are drawn than are needed, and kept with the
    odds that the true posterior gives them (truncated importance sampling, Ionides 2008).

    Returns:
        [draws, wordings], fractions.
    """
    triangle = np.linalg.cholesky(found.precision)
    observed = grid.scores.sum(axis=1)
    unseen = grid.seen.shape[1] - grid.seen.sum(axis=1)
    mode = np.linalg.solve(found.root, found.abilities)
    noises = draw.standard_normal((_PROPOSALS * count, len(observed)))
    points = mode + np.linalg.solve(triangle.T, noises.T).T
    logs = np.empty(len(points))
    for number, (point, noise) in enumerate(zip(points, noises, strict=True)):
        _, log_likelihood = _difficulty_posterior(grid, found.root @ point, found.widths)
        logs[number] = log_likelihood - 0.5 * point @ point + 0.5 * noise @ noise
    weights = np.exp(logs - logs.max())
    weights = np.minimum(weights, weights.mean() * np.sqrt(len(weights)))
    chosen = draw.choice(len(points), size=count, p=weights / weights.sum())
    draws = np.empty((count, len(observed)))
    for number, place in enumerate(chosen):
        abilities = found.root @ points[place]
        posterior, _ = _difficulty_posterior(grid, abilities, found.widths)
        cumulative = np.cumsum(posterior, axis=1)
        nodes = np.sum(cumulative < draw.random((len(cumulative), 1)) * cumulative[:, -1:], axis=1)
        at_node = np.eye(len(NODES))[nodes]
        rest = at_node.sum(axis=0) - grid.seen @ at_node
        chance = _chances(abilities, found.widths)
        expected = np.sum(rest * chance, axis=1)
        luck = np.sqrt(np.sum(rest * chance * (1 - chance), axis=1)) * draw.standard_normal(len(observed))
        draws[number] = (observed + np.clip(expected + luck, 0, unseen)) / grid.seen.shape[1]
    return draws


def _chances(abilities: Floats, widths: Widths) -> Floats:
    """How likely each wording is right on an example at each node of difficulty, [wordings, nodes]."""
    return special.expit(abilities[:, None] - widths.difficulty * NODES)


def _difficulty_posterior(grid: Grid, abilities: Floats, widths: Widths) -> tuple[Floats, float]:
    """Each example's posterior over the nodes [examples, nodes], and the log-likelihood without difficulties."""
    odds = abilities[:, None] - widths.difficulty * NODES
    # log p = odds - log(1 + exp(odds)), log(1 - p) = -log(1 + exp(odds))
    logs = grid.scores.T @ odds - grid.seen.T @ np.logaddexp(0.0, odds) + _LOG_MASS
    top = logs.max(axis=1, keepdims=True)
    mass = np.exp(logs - top)
    total = mass.sum(axis=1, keepdims=True)
    return mass / total, float(np.sum(top + np.log(total)))


def _information(grid: Grid, abilities: Floats, widths: Widths) -> Floats:
    """Minus the second derivative of the marginal log-likelihood, [wordings, wordings]."""
    chance = _chances(abilities, widths)
    posterior, _ = _difficulty_posterior(grid, abilities, widths)
    met = grid.seen @ posterior
    information = np.diag(np.sum(met * chance * (1 - chance), axis=1))
    # Less what the answers of one example share through its difficulty: their covariance over its posterior.
    for node in range(len(NODES)):
        together = (grid.seen * posterior[:, node]) @ grid.seen.T
        information -= together * np.outer(chance[:, node], chance[:, node])
    means = grid.seen * (chance @ posterior.T)
    return information + means @ means.T


def _ability_covariance(grid: Grid, widths: Widths) -> Floats:
    same_group = grid.groups[:, None] == grid.groups[None, :]
    own = np.diag(np.asarray(widths.groups)[grid.groups] ** 2)
    return MEAN_VARIANCE * same_group + widths.features**2 * (grid.features @ grid.features.T) + own


def _widths(logs: Sequence[float] | Floats, groups: int) -> Widths:
    values = np.exp(np.clip(np.asarray(logs, dtype=np.float64), *_WIDTH_LIMITS))
    features = float(values[groups + 1]) if len(values) > groups + 1 else 0.0
    return Widths(float(values[0]), tuple(map(float, values[1 : groups + 1])), features)


def _log_prior(logs: Floats, scale: float = 2.0) -> float:
    """Half-normal, as a density of the logarithm."""
    return float(np.sum(logs - 0.5 * (np.exp(logs) / scale) ** 2))
