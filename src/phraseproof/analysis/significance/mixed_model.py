"""A crossed mixed-effects logistic model: how much a right answer depends on the wording."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import TaskGrid
from phraseproof.errors import NotEnoughDataError

MAX_CELLS = 5_000
_RESIDUAL = math.pi**2 / 3


class VarianceShares(NamedTuple):
    """Standard deviations on the log-odds scale, and shares of the variance there.

    Attributes:
        wording_std, example_std: of the random intercepts, in log-odds.
        wording_low, wording_high, example_low, example_high: 95% bounds of theirs.
        wording, example, interaction: shares that add up to 1. Answers are deterministic, so the remainder (on this
            scale always pi^2 / 3, the variance of the logistic distribution) is the interaction of wording and example.
        num_cells: the number of answers that were fitted.
    """

    wording_std: float
    wording_low: float
    wording_high: float
    example_std: float
    example_low: float
    example_high: float
    wording: float
    example: float
    interaction: float
    num_cells: int


def mixed_effects(grid: TaskGrid, group: str, *, seed: int = 0, max_cells: int = MAX_CELLS) -> VarianceShares:
    """Fit log-odds = intercept + wording + example, wordings and examples being crossed random effects.

    The fit is statsmodels' variational Bayes (`BinomialBayesMixedGLM`), whose intervals are known to be somewhat
    narrow. Unlike shares of the variance of raw scores, these do not shrink when a task is nearly always right.

    Args:
        grid: one task.
        group: a group of wordings.
        seed: where the task has more answers than `max_cells`, examples are drawn by it.

    Raises:
        NotEnoughDataError: fewer than three wordings or ten examples, scores that are not right or wrong, or
            answers that are all right or all wrong.
    """
    rows = grid.rows(group)
    if grid.table is None or len(rows) < 3 or grid.table.shape[1] < 10:
        raise NotEnoughDataError("a mixed model needs at least three wordings and ten examples", where=grid.task)
    grid.metric.require_binary("a mixed-effects logistic model")
    table = grid.table.take(rows)
    if not table.is_right_or_wrong:
        raise NotEnoughDataError("a mixed model needs answers that are right or wrong", where=grid.task)
    keep = max(10, max_cells // len(rows))
    if table.shape[1] > keep:
        chosen = np.random.default_rng(seed).choice(table.shape[1], keep, replace=False)
        table = table.on(np.sort(chosen))
    scores = table.whole()
    if scores.min() == scores.max():
        raise NotEnoughDataError("all answers are right, or all are wrong", where=grid.task)

    from scipy import sparse
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    wordings, examples = scores.shape
    cells = wordings * examples
    of_wording, of_example = np.divmod(np.arange(cells), examples)
    ones = np.ones(cells)
    design = sparse.hstack(
        [
            sparse.csr_matrix((ones, (np.arange(cells), of_wording)), shape=(cells, wordings)),
            sparse.csr_matrix((ones, (np.arange(cells), of_example)), shape=(cells, examples)),
        ],
        format="csr",
    )
    kinds = np.repeat([0, 1], [wordings, examples])
    # The prior of a log standard deviation is normal with sd 1 about 0: a Std of 0.14 to 7 log-odds, widely.
    model = BinomialBayesMixedGLM(scores.ravel(), ones[:, None], design, kinds, vcp_p=1, fe_p=3)
    # One intercept, two variances, and every wording and example; without a start statsmodels draws one at random, and
    # two fits of the same data differ in their fourth digit.
    start = np.full(3 + wordings + examples, np.exp(-0.5))
    fitted = model.fit_vb(sd=start, fit_method="L-BFGS-B")
    centre, error = np.asarray(fitted.vcp_mean, dtype=float), np.asarray(fitted.vcp_sd, dtype=float)
    if not (np.isfinite(centre).all() and np.isfinite(error).all()):
        raise NotEnoughDataError("the mixed model's fit did not end in finite numbers", where=grid.task)
    low, std, high = (np.exp(centre + z * error) for z in (-1.959964, 0.0, 1.959964))
    total = float(np.square(std).sum()) + _RESIDUAL
    return VarianceShares(
        float(std[0]), float(low[0]), float(high[0]), float(std[1]), float(low[1]), float(high[1]),
        float(std[0] ** 2 / total), float(std[1] ** 2 / total), _RESIDUAL / total, cells,
    )  # fmt: skip
