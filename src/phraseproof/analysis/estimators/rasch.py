"""The Rasch model of a sampled grid: each wording has an ability, each example a difficulty (Polo et al. 2024, 3).

    P(wording i is right on example j) = 1 / (1 + exp(difficulty_j - ability_i))

PromptEval fits it as a logistic regression with a ridge, which is one normal prior for all abilities. Wordings often
fall into kinds, some near 100% and some at chance, and a single normal would put most of them where there are none.
Here each group of wordings has a mixture instead, and the data decide which components are used:

    ability_i ~ three normals with their own means and spreads (+ effects · features_i),
                or "always right", or "never right";       difficulty_j ~ Normal(0, width²)

Scores between 0 and 1 count as that share of a right answer. They vary less than right and wrong do, by a factor that
is estimated from the grid (log-likelihoods are divided by it, as in a quasi-likelihood).

Everything is drawn from its posterior by Gibbs sampling. Abilities and difficulties lie on fine grids of nodes, so each
draw is exact, from a table. The width is drawn with the difficulties integrated out (a Metropolis step), and so are the
kinds when abilities are drawn: that lets the chain move quickly even where an example was met only once or twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

NODES = np.linspace(-4.0, 4.0, 33)
"""The range of difficulties, in standard deviations."""

CERTAIN = 60.0
"""The ability, in logits, of a wording that is always right; its negative for one that never is."""

VERSION = 3
"""Raised when a change of the code gives other draws for the same grid and seed: runs store draws."""

BURN_IN, THINNING = 150, 2
"""Sweeps of the sampler before the first draw is kept, and from one kept draw to the next."""

_MASS = np.exp(-0.5 * NODES**2) / np.sum(np.exp(-0.5 * NODES**2))
_LEAST_FACTOR = 0.01
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
        chain.set_factor()
        chain.draw_kinds()
        chain.draw_effects()
        if sweep >= BURN_IN and (sweep - BURN_IN) % THINNING == 0:
            kept.append(chain.right_in_all(unmet) / grid.seen.shape[1])
    return np.stack(kept)


class DifficultyTable(NamedTuple):
    """What the answers say of each example's difficulty.

    Attributes:
        masses: [examples, nodes] prior times likelihood at each node, as multiples of the row's largest.
        log_likelihood: of abilities and width, with the difficulties integrated out.
    """

    masses: Floats
    log_likelihood: float


def difficulty_table(grid: Grid, abilities: Floats, width: float) -> DifficultyTable:
    """Weigh every node for every example, given the wordings' abilities in logits and the width of difficulties."""
    return _Seen(grid).difficulty_table(abilities, width)


class _Seen:
    """The observed cells alone, as lists: a share of a grid is mostly empty."""

    def __init__(self, grid: Grid) -> None:
        from scipy import sparse

        self.wordings, self.examples = np.nonzero(grid.seen)
        self.scores = grid.scores[self.wordings, self.examples]
        self.by_example: Any = sparse.csr_array(np.concatenate([grid.scores, grid.seen]).T)

    def difficulty_table(self, abilities: Floats, width: float, factor: float = 1.0) -> DifficultyTable:
        odds = abilities[:, None] - width * NODES
        # log p = odds - log(1 + exp(odds)), log(1 - p) = -log(1 + exp(odds))
        logs = self.by_example @ np.concatenate([odds, -np.logaddexp(0.0, odds)]) / factor + np.log(_MASS)
        highest = logs.max(axis=1, keepdims=True)
        masses = np.exp(logs - highest)
        return DifficultyTable(masses, float(np.sum(highest) + np.sum(np.log(masses.sum(axis=1)))))

    def by_node(self, difficulties: Integers, num_wordings: int) -> tuple[Floats, Floats]:
        """The score of each wording, and its number of examples, at each node [wordings, nodes]."""
        places = self.wordings * len(NODES) + difficulties[self.examples]
        shape, size = (num_wordings, len(NODES)), num_wordings * len(NODES)
        got = np.bincount(places, weights=self.scores, minlength=size)
        asked = np.bincount(places, minlength=size)
        return got.reshape(shape).astype(np.float64), asked.reshape(shape).astype(np.float64)


class _Chain:
    """The state of the sampler. `kinds` numbers the normals of all groups on end; certain wordings have -1."""

    def __init__(self, grid: Grid, draw: np.random.Generator) -> None:
        from scipy import special  # late, because whole runs need none of this

        self.grid, self.draw, self.cells = grid, draw, _Seen(grid)
        self.right, asked = grid.scores.sum(axis=1), grid.seen.sum(axis=1)
        self.abilities: Floats = special.logit((self.right + 0.5) / (asked + 1.0))
        self.width = 1.0
        # The variance of a score, as a multiple of that of right and wrong with the same chance.
        self.factor = 1.0
        self.is_graded = bool(np.any((self.cells.scores > 0) & (self.cells.scores < 1)))
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
        table = self.cells.difficulty_table(self.abilities, self.width, self.factor)
        other = self.width * float(np.exp(0.2 * self.draw.standard_normal()))
        others = self.cells.difficulty_table(self.abilities, other, self.factor)
        gain = others.log_likelihood + _half_normal(other) - table.log_likelihood - _half_normal(self.width)
        if np.log(self.draw.random()) < gain:
            self.width, table = other, others
        self.difficulties = _pick(table.masses, self.draw)

    def draw_abilities(self) -> None:
        """Each wording's ability, with its kind integrated out."""
        got, self.met = self.cells.by_node(self.difficulties, len(self.abilities))
        odds = _ABILITIES[:, None] - self.width * NODES
        logs = (got @ odds.T - self.met @ np.logaddexp(0.0, odds).T) / self.factor
        # So small that it changes no probability that matters; it keeps the logarithm finite.
        logs[:, 1:-1] += np.log(np.exp(self._log_density(_INNER[:, None])).sum(axis=2) + 1e-300)
        certain = np.log(self.weights[self.grid.groups, _NORMALS:])
        logs[:, 0] += certain[:, 0]
        logs[:, -1] += certain[:, 1]
        self.abilities = _ABILITIES[_pick_log(logs, self.draw)]

    def set_factor(self) -> None:
        """From the distance of scores to their probabilities; those are drawn too, so their uncertainty counts."""
        if not self.is_graded:
            return
        from scipy import special

        odds = self.abilities[self.cells.wordings] - self.width * NODES[self.difficulties[self.cells.examples]]
        chance = special.expit(odds)
        found = np.sum((self.cells.scores - chance) ** 2) / max(float(np.sum(chance * (1 - chance))), 1e-9)
        self.factor = float(np.clip(found, _LEAST_FACTOR, 1.0))

    def draw_kinds(self) -> None:
        """Which normal each ability comes from; then the normals' weights, means and spreads."""
        uncertain = np.abs(self.abilities) < CERTAIN
        places = _pick_log(self._log_density(self.abilities[:, None, None])[:, 0], self.draw)
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
        self.spreads = _SPREADS[_pick_log(logs, self.draw)]
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
        self.effect_width = float(_SPREADS[_pick_log(logs[None], self.draw)[0]])

    def right_in_all(self, unmet: int) -> Floats:
        """How many answers are right: unobserved ones are drawn, also for `unmet` examples without any observation."""
        from scipy import special

        everywhere = np.bincount(self.difficulties, minlength=len(NODES)) + self.draw.multinomial(unmet, _MASS)
        rest = np.rint(everywhere - self.met).astype(np.int64)
        chance = special.expit(self.abilities[:, None] - self.width * NODES)
        middle = rest * chance
        # Counts pulled to their mean have the variance of graded scores, and keep to what is possible.
        drawn = middle + np.sqrt(self.factor) * (self.draw.binomial(rest, chance) - middle)
        return self.right + drawn.sum(axis=1)

    def _log_density(self, abilities: Floats) -> Floats:
        """Of abilities under each normal of their wording's group, weighted, [wordings, abilities, normals]."""
        groups = self.grid.groups
        means = self.means.reshape(-1, _NORMALS)[groups] + (self.grid.features @ self.effects)[:, None]
        spreads = self.spreads.reshape(-1, _NORMALS)[groups]
        scale = np.log(self.weights[groups, :_NORMALS] * _STEP / np.sqrt(2 * np.pi) / spreads)
        return scale[:, None] - 0.5 * ((abilities - means[:, None]) / spreads[:, None]) ** 2


def _pick(masses: Floats, draw: np.random.Generator) -> Integers:
    """One column for each row, with odds as its masses."""
    cumulative = np.cumsum(masses, axis=1)
    return np.sum(cumulative < draw.random((len(masses), 1)) * cumulative[:, -1:], axis=1)


def _pick_log(logs: Floats, draw: np.random.Generator) -> Integers:
    return _pick(np.exp(logs - logs.max(axis=1, keepdims=True)), draw)


def _half_normal(width: float) -> float:
    """The log density of the width's prior, as a density of its logarithm, in which the step is symmetric."""
    return float(np.log(width) - 0.5 * (width / _WIDTH_SCALE) ** 2)
