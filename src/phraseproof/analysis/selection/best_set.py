"""Which wordings cannot be distinguished from the best one: multiple comparisons with the best."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats


class BestSet(NamedTuple):
    """The comparison of every wording with the best.

    Attributes:
        p_values: [W] of the hypothesis that the wording is a best one. A true best wording has a p-value of 0.05 or
            less in one of twenty grids at most, so those with a larger one are a 95% confidence set of the best.
        p_equal: of the hypothesis that all wordings are equally good, from the distance between the best and the worst.
    """

    p_values: Floats
    p_equal: float


def compare_with_best(ranks: Floats, resampled: Floats) -> BestSet:
    """Compare every wording with the best of all (Gupta 1965; Hsu 1984), on resampled examples.

    For a wording that is the best, the distance to the largest observed value is due to the draw of the examples alone.
    It is compared with how far the largest of all deviations exceeds the wording's own, over resampled examples, which
    are the same for all wordings. No normal law and no independence of wordings is assumed.

    Args:
        ranks: [W] what wordings are chosen by.
        resampled: [R, W] the same over resampled examples.
    """
    deviations = resampled - ranks
    behind = ranks.max() - ranks
    largest = deviations.max(axis=1)
    # Rounding must not turn an equal distance into a smaller one.
    slack = 1e-9
    counts = np.zeros(len(ranks))
    for first in range(0, len(deviations), 500):
        rows = slice(first, first + 500)
        counts += (largest[rows, None] - deviations[rows] >= behind - slack).sum(axis=0)
    ranges = largest - deviations.min(axis=1)
    more = 1 + len(deviations)
    return BestSet((1 + counts) / more, float((1 + np.sum(ranges >= np.ptp(ranks) - slack)) / more))
