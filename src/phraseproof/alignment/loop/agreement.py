"""How much the answers of wordings agree on held-out pairs: the signal that swarm distillation stops on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np


def fleiss_agreement(choices: Sequence[Sequence[int]]) -> float | None:
    """Fleiss' kappa (Fleiss 1971): the pairs are rated, wordings are the raters, the chosen options are the ratings.

    Agreement by chance is subtracted, so that a model that gives one answer to everything does not score high.

    Args:
        choices: for each pair the option that each wording chooses. Kappa needs equally many ratings of every pair, so
            pairs with another number of wordings than most are left out.

    Returns:
        At most 1. `None` where it is not defined: no pair with two wordings, or all answers are one option.
    """
    from statsmodels.stats.inter_rater import fleiss_kappa

    sizes = Counter(len(of_pair) for of_pair in choices if len(of_pair) > 1)
    if not sizes:
        return None
    size = max(sizes, key=lambda each: (sizes[each], each))
    rated = [of_pair for of_pair in choices if len(of_pair) == size]
    if len({choice for of_pair in rated for choice in of_pair}) < 2:
        return None
    options = 1 + max(choice for of_pair in rated for choice in of_pair)
    return float(fleiss_kappa(np.array([np.bincount(of_pair, minlength=options) for of_pair in rated])))
