"""The Rasch model of a sampled grid: each wording has an ability, each example a difficulty (Polo et al. 2024, 3).

    P(wording i is right on example j) = 1 / (1 + exp(difficulty_j - ability_i))

PromptEval fits it as a logistic regression with a ridge, which is one normal prior for all abilities. Wordings often
fall into kinds, some read well and some at chance, and a single normal then lays most of them where none is. Here each
group of wordings has a mixture instead, of which the data decide what is used:

    ability_i ~ three normals with means and spreads of their own (+ effects · features_i),
                or "always right", or "never right";       difficulty_j ~ Normal(0, width²)

Everything is drawn from its posterior by Gibbs sampling. Abilities and difficulties lie on fine grids of nodes, so each
draw is exact, from a table. The width is drawn with the difficulties integrated out (a Metropolis step), and so are the
kinds when abilities are drawn: that lets the chain move quickly even where an example was met only once or twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

NODES = np.linspace(-4.0, 4.0, 33)
"""Where difficulties may lie, in standard deviations."""

CERTAIN = 60.0
"""The ability, in logits, of a wording that is always right; minus it of one that never is."""

BURN_IN, THINNING = 150, 2
"""Sweeps of the sampler before the first draw is kept, and from one kept draw to the next."""

_MASS = np.exp(-0.5 * NODES**2) / np.sum(np.exp(-0.5 * NODES**2))
_STEP = 0.125
_INNER = np.arange(-8.0, 8.0 + _STEP, _STEP)
_ABILITIES = np.concatenate([[-CERTAIN], _INNER, [CERTAIN]])
_ENDS = (-CERTAIN, CERTAIN)
_SPREADS = np.exp(np.linspace(np.log(0.06), np.log(3.0), 12))
_NORMALS = 3
_WEIGHTS = np.array([*[1.0 / _NORMALS] * _NORMALS, 0.2, 0.2])
"""The Dirichlet prior of a group's kinds: the normals, never right, always right. Small, so that few are used."""
_MEAN_SPREAD, _SPREAD_SCALE, _WIDTH_SCALE = 4.0, 1.0, 2.0
"""Prior standard deviations in logits: of the normals' means, and the half-normals' of their spreads and the widths."""


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


def draw_accuracies(grid: Grid, count: int, draw: np.random.Generator) -> Floats:
    """Draws of every wording's accuracy on the whole grid: what was observed, and what the model predicts for the rest.

    Answers that were not observed are drawn too, so that a wording that is always right may come out at exactly 1.

    Returns:
        [draws, wordings], fractions.
    """
    met = grid.seen.any(axis=0)
    chain = _Chain(Grid(grid.scores[:, met], grid.seen[:, met], grid.groups, grid.features), draw)
    unmet = int(np.sum(~met))
    kept: list[Floats] = []
    for sweep in range(BURN_IN + count * THINNING):
        chain.draw_difficulties()
        chain.draw_abilities()
        chain.draw_kinds()
        chain.draw_effects()
        if sweep >= BURN_IN and (sweep - BURN_IN) % THINNING == 0:
            kept.append(chain.right_in_all(unmet) / grid.seen.shape[1])
    return np.stack(kept)


def difficulty_logs(grid: Grid, abilities: Floats, width: float) -> tuple[Floats, float]:
    """What the answers say of each example's difficulty.

    Returns:
        Log of prior times likelihood at each node [examples, nodes], and the log-likelihood of abilities and width with
        the difficulties integrated out.
    """
    odds = abilities[:, None] - width * NODES
    # log p = odds - log(1 + exp(odds)), log(1 - p) = -log(1 + exp(odds))
    logs = grid.scores.T @ odds - grid.seen.T @ np.logaddexp(0.0, odds) + np.log(_MASS)
    return logs, float(np.sum(special.logsumexp(logs, axis=1)))


class _Chain:
    """The state of the sampler. `kinds` numbers the normals of all groups on end; certain wordings have -1."""

    def __init__(self, grid: Grid, draw: np.random.Generator) -> None:
        self.grid, self.draw = grid, draw
        self.right, asked = grid.scores.sum(axis=1), grid.seen.sum(axis=1)
        self.abilities: Floats = special.logit((self.right + 0.5) / (asked + 1.0))
        self.width = 1.0
        self.met = np.zeros((len(asked), len(NODES)))
        self.difficulties = np.zeros(0, dtype=np.int64)
        groups, parts = int(grid.groups.max()) + 1, (np.arange(_NORMALS) + 0.5) / _NORMALS
        starts = [np.quantile(self.abilities[grid.groups == group], parts) for group in range(groups)]
        self.means: Floats = np.concatenate(starts)
        self.spreads = np.full(groups * _NORMALS, 0.7)
        self.weights = np.full((groups, len(_WEIGHTS)), 1.0 / len(_WEIGHTS))
        self.effects = np.zeros(grid.features.shape[1])
        self.effect_width = 0.3
        self.kinds = np.zeros(len(asked), dtype=np.int64)

    def draw_difficulties(self) -> None:
        """The width with the difficulties integrated out, then the difficulties."""
        logs, likelihood = difficulty_logs(self.grid, self.abilities, self.width)
        other = self.width * float(np.exp(0.2 * self.draw.standard_normal()))
        other_logs, other_likelihood = difficulty_logs(self.grid, self.abilities, other)
        gain = other_likelihood + _half_normal(other) - likelihood - _half_normal(self.width)
        if np.log(self.draw.random()) < gain:
            self.width, logs = other, other_logs
        self.difficulties = _pick(logs, self.draw)

    def draw_abilities(self) -> None:
        """Each wording's ability, with its kind integrated out."""
        at_node = np.eye(len(NODES))[self.difficulties]
        self.met = self.grid.seen @ at_node
        odds = _ABILITIES[:, None] - self.width * NODES
        logs = (self.grid.scores @ at_node) @ odds.T - self.met @ np.logaddexp(0.0, odds).T
        # So much below any normal that matters, what is added keeps the logarithm finite.
        logs[:, 1:-1] += np.log(np.exp(self._log_density(_INNER[:, None])).sum(axis=2) + 1e-300)
        certain = np.log(self.weights[self.grid.groups, _NORMALS:])
        logs[:, 0] += certain[:, 0]
        logs[:, -1] += certain[:, 1]
        self.abilities = _ABILITIES[_pick(logs, self.draw)]

    def draw_kinds(self) -> None:
        """Which normal each ability comes from; then the normals' weights, means and spreads."""
        uncertain = np.abs(self.abilities) < CERTAIN
        places = _pick(self._log_density(self.abilities[:, None, None])[:, 0], self.draw)
        self.kinds = np.where(uncertain, self.grid.groups * _NORMALS + places, -1)
        members = np.asarray(self.kinds == np.arange(len(self.means))[:, None], dtype=np.float64)
        counts = members.sum(axis=1)
        alone = np.where(uncertain, self.abilities - self.grid.features @ self.effects, 0.0)
        centres = members @ alone / np.maximum(counts, 1.0)
        squares = np.maximum(members @ alone**2 - counts * centres**2, 0.0)

        # The spread with the mean integrated out, then the mean.
        size, variances = counts[:, None], _SPREADS**2
        of_centre = variances / np.maximum(size, 1.0) + _MEAN_SPREAD**2
        logs = -(size - 1) * np.log(_SPREADS) - 0.5 * squares[:, None] / variances
        logs -= 0.5 * np.log(of_centre) + 0.5 * centres[:, None] ** 2 / of_centre
        logs = np.where(size > 0, logs, 0.0) - 0.5 * (_SPREADS / _SPREAD_SCALE) ** 2
        self.spreads = _SPREADS[_pick(logs, self.draw)]
        precision = counts / self.spreads**2 + 1.0 / _MEAN_SPREAD**2
        noise = self.draw.standard_normal(len(counts)) / np.sqrt(precision)
        self.means = counts * centres / self.spreads**2 / precision + noise

        ends = [np.bincount(self.grid.groups[self.abilities == end], minlength=len(self.weights)) for end in _ENDS]
        tally = np.concatenate([counts.reshape(-1, _NORMALS), np.stack(ends, axis=1)], axis=1)
        sizes = np.maximum(self.draw.standard_gamma(tally + _WEIGHTS), 1e-12)
        self.weights = sizes / sizes.sum(axis=1, keepdims=True)

    def draw_effects(self) -> None:
        """How much each feature counts: a Bayesian linear regression of the abilities; and how much they may count."""
        if not len(self.effects):
            return
        uncertain = self.kinds >= 0
        kinds, features = self.kinds[uncertain], self.grid.features[uncertain]
        weighted = features / self.spreads[kinds, None] ** 2
        root = np.linalg.cholesky(features.T @ weighted + np.eye(len(self.effects)) / self.effect_width**2)
        middle = np.linalg.solve(root, weighted.T @ (self.abilities[uncertain] - self.means[kinds]))
        noise = self.draw.standard_normal(len(middle))
        self.effects = np.asarray(np.linalg.solve(root.T, middle + noise), dtype=np.float64)
        logs = -len(noise) * np.log(_SPREADS) - 0.5 * self.effects @ self.effects / _SPREADS**2
        logs = logs - 0.5 * (_SPREADS / _WIDTH_SCALE) ** 2
        self.effect_width = float(_SPREADS[_pick(logs[None], self.draw)[0]])

    def right_in_all(self, unmet: int) -> Floats:
        """How many answers are right, those not observed drawn; `unmet` examples more that nobody was asked."""
        everywhere = np.bincount(self.difficulties, minlength=len(NODES)) + self.draw.multinomial(unmet, _MASS)
        rest = np.rint(everywhere - self.met).astype(np.int64)
        chance = special.expit(self.abilities[:, None] - self.width * NODES)
        return self.right + self.draw.binomial(rest, chance).sum(axis=1)

    def _log_density(self, abilities: Floats) -> Floats:
        """Of abilities under each normal of their wording's group, weighted, [wordings, abilities, normals]."""
        groups = self.grid.groups
        means = self.means.reshape(-1, _NORMALS)[groups] + (self.grid.features @ self.effects)[:, None]
        spreads = self.spreads.reshape(-1, _NORMALS)[groups]
        scale = np.log(self.weights[groups, :_NORMALS] * _STEP / np.sqrt(2 * np.pi) / spreads)
        return scale[:, None] - 0.5 * ((abilities - means[:, None]) / spreads[:, None]) ** 2


def _pick(logs: Floats, draw: np.random.Generator) -> Integers:
    """One column for each row, with odds exp(logs)."""
    cumulative = np.cumsum(np.exp(logs - logs.max(axis=1, keepdims=True)), axis=1)
    return np.sum(cumulative < draw.random((len(logs), 1)) * cumulative[:, -1:], axis=1)


def _half_normal(width: float) -> float:
    """The log density of the width's prior, as a density of its logarithm, in which the step is symmetric."""
    return float(np.log(width) - 0.5 * (width / _WIDTH_SCALE) ** 2)
