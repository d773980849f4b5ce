"""The causes of the spread of accuracy over the wordings of a task, with intervals, and what cannot be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from phraseproof.analysis.causes.components import (
    CAUSES,
    LEAST_EXAMPLES,
    LEAST_ROWS,
    Components,
    FoldEffects,
    components,
    fold_effects,
)
from phraseproof.analysis.causes.rows import mean_by
from phraseproof.analysis.causes.skill import skill_p_values
from phraseproof.analysis.estimators.resampling import CONFIDENCE
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.analysis.significance.holm import holm
from phraseproof.core import Finding

RESAMPLES = 1000
_RESAMPLES_OF_LARGE = 300
_LARGE = 400_000

DRAWS = "draws"
NOISE = "noise"

SIGNIFICANCE = 0.05
QUANTILES = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)
WIDEST = 0.8
"""An interval of a share that is wider than this says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class SpreadCauses:
    """Why accuracy differs between the W wordings of a task at one number of demonstrations.

    Attributes:
        examples: E, how many every wording was scored on.
        classes: the names of the classes, where all wordings score the same ones.
        std: of accuracy over wordings (n - 1), which are means over draws of demonstrations.
        std_beyond: what of it remains with any number of examples, with its interval: the root of the sum of the
            causes' variances, or 0.
        p_value: of no difference between the wordings.
        shares: the shares of the variance over wordings, by `prior`, `skill`, `joint`, `draws` (of demonstrations) and
            `noise` (of examples). They add up to 1. The shares of causes are covariances, and can be below 0.
            The intervals are over examples, for these wordings.
        other_wordings: the same estimates, with intervals over wordings and examples: what another sample of wordings
            would show.
        can_tell: whether the shares of these wordings are known well enough to name a cause.
        accuracy: [W]
        without_prior: [W] the accuracy of the answers without the prior, estimated on other examples.
        effects: [3, W] by how much prior, skill and both together move a wording's accuracy.
        skill_p: [W] of no skill, after Holm's correction over the wordings.
        chance, majority: the accuracy of blind guessing and of the best constant answer.
        has_orders: whether the share of the draws is also of orders of the options.
    """

    task: str
    category: str
    num_fewshot: int
    scoring: str
    wordings: tuple[str, ...]
    groups: tuple[str, ...]
    examples: int
    classes: tuple[str, ...]
    std: float
    std_beyond: Finding
    p_value: float
    shares: Mapping[str, Finding]
    other_wordings: Mapping[str, Finding]
    can_tell: bool
    accuracy: Floats
    without_prior: Floats
    effects: Floats
    skill_p: Floats
    chance: float
    majority: float
    has_orders: bool = False

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the wordings differ by more than the draw of examples explains."""
        return self.p_value < SIGNIFICANCE and self.std_beyond.estimate > 0

    @property
    def skilled(self) -> int:
        """How many wordings tell right answers from wrong ones."""
        return int((self.skill_p < SIGNIFICANCE).sum())


def why_not(of: OptionValues) -> str:
    """Why the causes of a task's spread cannot be estimated; empty if they can."""
    wordings = len(set(of.wordings))
    if wordings < LEAST_ROWS:
        return f"it needs {LEAST_ROWS} wordings or more, and the task has {wordings}"
    if len(of.examples) < LEAST_EXAMPLES:
        needed = f"{LEAST_EXAMPLES} examples or more that every wording was scored on"
        return f"it needs {needed}, and there are {len(of.examples)}"
    return ""


def spread_causes(of: OptionValues, *, seed: int = 0, resamples: int | None = None) -> SpreadCauses:
    """Split the variance of accuracy over wordings into its causes.

    Args:
        of: one task, for which `why_not` has no reason.
        seed: of the folds and the bootstrap; the same values and seed give the same numbers.
        resamples: of the bootstrap; by default `RESAMPLES`, and fewer for a large run.
    """
    rng = np.random.default_rng(seed)
    names = tuple(dict.fromkeys(of.wordings))
    place = {name: number for number, name in enumerate(names)}
    wording_of_row = np.array([place[name] for name in of.wordings])
    first = {name: row for row, name in reversed(list(enumerate(of.wordings)))}
    found = fold_effects(of, rng)
    once = components(found, wording_of_row)
    scored = mean_by(scores(of.values, of), wording_of_row)
    accuracy = scored.mean(axis=1)
    count = resamples or (RESAMPLES if of.values.size <= _LARGE else _RESAMPLES_OF_LARGE)
    of_these, of_others = (
        _Parts(once, _resampled(found, wording_of_row, count, rng, fixed=fixed), len(names), fixed=fixed)
        for fixed in (True, False)
    )
    shares = of_these.shares()
    effects = mean_by(_row_effects(found).T, wording_of_row).T
    right = np.zeros(max(len(each) for each in of.class_names))
    np.add.at(right, np.maximum(of.classes[0], 0).ravel(), of.credits.ravel())
    return SpreadCauses(
        of.task,
        of.category,
        of.num_fewshot,
        of.scoring,
        names,
        tuple(of.groups[first[name]] for name in names),
        len(of.examples),
        of.class_names[0] if len(set(of.class_names)) == 1 and not of.by_position[0] else (),
        float(np.std(accuracy, ddof=1)),
        of_others.beyond(),
        difference_p_value(scored),
        shares,
        of_others.shares(),
        is_named(shares),
        accuracy,
        mean_by(found.without_prior, wording_of_row),
        effects,
        np.array(holm(skill_p_values(of, wording_of_row).tolist())),
        of.chance,
        float(right.max() / len(of.examples)),
        len(of.wordings) > len(set(zip(of.wordings, of.seeds, strict=True))),
    )


def difference_p_value(scored: Floats) -> float:
    """The p-value of equal accuracies: the F test of repeated measures with Greenhouse and Geisser's correction (1959).

    Args:
        scored: [W, E] scores, the same examples under every wording.
    """
    from scipy import special

    wordings, examples = scored.shape
    rest = scored - scored.mean(axis=1, keepdims=True)
    rest -= rest.mean(axis=0)
    between = examples * np.var(scored.mean(axis=1), ddof=1)
    square = np.sum(rest**2) / ((wordings - 1) * (examples - 1))
    if between <= 1e-15:
        return 1.0
    if square <= 1e-15:
        return 0.0
    # The traces of the covariance and of its square, from the smaller of the two matrices of products.
    products = rest @ rest.T if wordings <= examples else rest.T @ rest
    correction = np.trace(products) ** 2 / np.sum(products**2) / (wordings - 1)
    correction = float(np.clip(correction, 1 / (wordings - 1), 1.0))
    freedom = (wordings - 1) * correction
    return float(special.fdtrc(freedom, freedom * (examples - 1), between / square))


def _resampled(
    found: FoldEffects, wording_of_row: Ints, count: int, rng: np.random.Generator, *, fixed: bool
) -> Components:
    """Resamples of the blocks of examples within folds, and of wordings unless these are fixed.

    Blocks of a fold are few; deviations of their counts are widened, so that the variance of a mean over resamples is
    the unbiased estimate.
    """
    blocks = np.empty((count, len(found.fold)))
    for number in range(len(found.effects)):
        own = np.flatnonzero(found.fold == number)
        drawn = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=count)
        blocks[:, own] = 1 + (drawn - 1) * np.sqrt(len(own) / (len(own) - 1))
    if fixed:
        return components(found, wording_of_row, blocks)
    total = int(wording_of_row.max()) + 1
    wordings = rng.multinomial(total, np.full(total, 1 / total), size=count).astype(np.float64)
    return components(found, wording_of_row, blocks, wordings)


class _Parts:
    """Estimates and resamples of the parts of the observed variance.

    Args:
        once: the estimates.
        again: the resamples.
        wordings: how many.
        fixed: only examples were resampled.
    """

    def __init__(self, once: Components, again: Components, wordings: int, *, fixed: bool) -> None:
        self._wordings = wordings
        self._values = np.column_stack([once.causes, once.draws])[0]
        self._again = np.column_stack([again.causes, again.draws])
        self._observed = float(once.observed[0])
        # Resampled examples add their noise a second time.
        self._noise = np.maximum(again.observed - self._again.sum(axis=1), 0.0) / 2
        what = "examples" if fixed else "wordings and examples"
        self._method = f"bootstrap over {what}, percentiles ({len(self._again)} resamples)"

    def beyond(self) -> Finding:
        """The standard deviation over wordings that any number of examples would leave."""
        causes = len(CAUSES)
        variances = self._again[:, :causes].sum(axis=1)
        value = max(0.0, float(self._values[:causes].sum())) ** 0.5
        return self._finding("std_beyond", value, np.sqrt(np.maximum(0.0, variances)))

    def shares(self) -> dict[str, Finding]:
        """The shares of the observed variance."""
        whole = np.maximum(self._again.sum(axis=1), 0.0) + self._noise
        whole = np.where(whole > 0, whole, 1.0)
        total = self._observed if self._observed > 0 else 1.0
        found = {
            name: self._finding(name, float(self._values[place]) / total, self._again[:, place] / whole)
            for place, name in enumerate((*CAUSES, DRAWS))
            if name != DRAWS or self._again[:, place].any()
        }
        left = 1 - float(self._values.sum()) / total
        return {**found, NOISE: self._finding(NOISE, left, self._noise / whole)}

    def _finding(self, name: str, estimate: float, resampled: Floats) -> Finding:
        low, high = np.quantile(resampled, QUANTILES)
        return Finding(name, estimate, self._wordings, self._method, float(low), float(high))


def is_named(shares: Mapping[str, Finding]) -> bool:
    """Whether the largest cause surely is one, and the interval of its share is narrow enough to name it.

    The interval is not cut at 100%: a share of 84% that could also be 139% is that of a cause that others work against
    to an unknown degree.
    """
    leading = max((shares[name] for name in CAUSES), key=lambda found: found.estimate)
    assert leading.low is not None
    assert leading.high is not None
    return leading.low > 0 and leading.high - leading.low < WIDEST


def _row_effects(found: FoldEffects) -> Floats:
    """[3, R] the mean effects of every row over the folds, with mean 0 over the rows."""
    parts: list[Floats] = []
    for number, effect in enumerate(found.effects):
        size = found.sizes[found.others(number)].sum()
        parts.append(effect.sum(axis=1) / size)
    mean = np.mean(parts, axis=0)
    return mean - mean.mean(axis=1, keepdims=True)
