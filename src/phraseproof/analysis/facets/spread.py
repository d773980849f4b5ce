"""The standard deviation of accuracies over wordings and over draws, in the ways that papers mean it.

"The standard deviation over ten random draws" of a few-shot study can be that over the wordings in every draw, that
over the draws under every wording, or that over all wordings and draws together (arXiv 2306.11270, section 4.4, does
not say which). All are computed on the same scores; each still holds the noise of the examples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from phraseproof.analysis.facets.design import EXAMPLES, FacetScores
from phraseproof.analysis.grids import Floats

ALL = "all"


class FacetSpread(NamedTuple):
    """Standard deviations (n - 1) of mean scores over the levels of one facet, one for every level of the others.

    Attributes:
        facet: what the scores vary over, or `ALL` for all facets but the examples together.
        mean, low, high: the mean, the smallest and the largest of them.
        number: how many there are.
    """

    facet: str
    mean: float
    low: float
    high: float
    number: int


def facet_spreads(of: FacetScores) -> tuple[FacetSpread, ...]:
    """The spreads over every facet but the examples, then over all of them where there are several."""
    means = of.scores.mean(axis=of.facets.index(EXAMPLES))
    names = [name for name in of.facets if name != EXAMPLES]
    found = [_spread(name, means.std(axis=axis, ddof=1)) for axis, name in enumerate(names)]
    if len(names) > 1:
        found.append(_spread(ALL, means.std(ddof=1)))
    return tuple(found)


def _spread(facet: str, stds: Floats | float) -> FacetSpread:
    values = np.atleast_1d(stds)
    return FacetSpread(facet, float(values.mean()), float(values.min()), float(values.max()), values.size)
