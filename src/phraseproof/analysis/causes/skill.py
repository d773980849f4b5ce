"""Whether a wording tells right answers from wrong ones, whatever its prior: a test for each wording.

The statistic is the sum over classes of the covariance, over examples, between a class's log-probability and whether it
is right. A prior adds the same number to a class in every example and changes no covariance, so no prior has to be
estimated. Without skill every assignment of the right answers to the examples is equally probable; mean and variance of
the statistic over all assignments are known exactly (Hoeffding 1951, "A combinatorial central limit theorem").
"""

from __future__ import annotations

import numpy as np

from phraseproof.analysis.causes.priors import answer_forms, finite_logprobs
from phraseproof.analysis.causes.rows import mean_by
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues

_LEAST_VARIANCE = 1e-18


def skill_p_values(of: OptionValues, wording_of_row: Ints) -> Floats:
    """[W] the one-sided p-value of each wording: how probable so high a covariance is without skill.

    Right answers are exchanged between examples with the same classes only. With several draws of demonstrations a
    wording's log-probabilities are their means.

    Args:
        of: of R rows.
        wording_of_row: [R] from 0.
    """
    from scipy import special

    count = int(wording_of_row.max()) + 1
    total, variance = np.zeros(count), np.zeros(count)
    logprobs = finite_logprobs(of)
    for form in answer_forms(of):
        wordings, place = np.unique(wording_of_row[form.rows], return_inverse=True)
        of_form = mean_by(np.where(of.has_option, logprobs[form.rows], 0.0), place)
        for examples, columns in _strata(form.classes):
            shown = np.take_along_axis(of_form[:, examples], columns[None], axis=2)
            right = np.take_along_axis(of.credits[examples], columns, axis=1)
            right = right - right.mean(axis=0)
            shown = shown - shown.mean(axis=1, keepdims=True)
            total[wordings] += np.einsum("wek,ek->w", shown, right)
            if len(examples) > 1:
                products = shown.swapaxes(1, 2) @ shown
                variance[wordings] += np.einsum("wij,ij->w", products, right.T @ right) / (len(examples) - 1)
    return special.ndtr(-total / np.sqrt(np.maximum(variance, _LEAST_VARIANCE)))


def _strata(classes: Ints) -> list[tuple[Ints, Ints]]:
    """Examples with the same classes, and [E', K] in which column each of the classes is."""
    present = np.sort(classes, axis=1)
    found: list[tuple[Ints, Ints]] = []
    for kind in np.unique(present, axis=0):
        examples = np.flatnonzero((present == kind).all(axis=1))
        absent = int((kind < 0).sum())
        found.append((examples, np.argsort(classes[examples], axis=1, kind="stable")[:, absent:]))
    return found
