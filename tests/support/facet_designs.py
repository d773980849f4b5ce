"""Crossed designs of given scores."""

from __future__ import annotations

from phraseproof.analysis.facets.design import FacetScores
from phraseproof.analysis.grids import Floats
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.metric import Metric


def design(
    scores: Floats, *, facets: tuple[str, ...] = ("wordings", "draws", "examples"), metric: Metric = ACCURACY
) -> FacetScores:
    return FacetScores("t", "c", 1, "g", facets, scores, (), (), (), "", metric)
