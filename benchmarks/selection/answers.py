"""Right and wrong answers of wordings with known accuracies, correlated by how hard an example is."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm


def draw_answers(
    random: np.random.Generator, wordings: int, examples: int, *, spread: float, centre: float, shared: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a grid.

    Args:
        spread: standard deviation of the wordings on the probit scale; 0 for equal wordings.
        centre: their mean on this scale: 0.3 is 62% right, 1.5 is 93%.
        shared: the part of the variance of an answer that all wordings share.

    Returns:
        Scores [wordings, examples], and the true accuracies [wordings].
    """
    skill = centre + spread * random.standard_normal(wordings)
    hard = np.sqrt(shared) * random.standard_normal(examples)
    own = np.sqrt(1 - shared) * random.standard_normal((wordings, examples))
    return (skill[:, None] + hard + own > 0).astype(np.float64), norm.cdf(skill)
