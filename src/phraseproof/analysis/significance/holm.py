"""Holm's correction of p-values for several tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): p-values, in the same order, that hold for all tests together.

    That of statsmodels gives the same, and collects garbage in every call, which takes a third of a second.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given)
    raised = np.minimum(1.0, given[order] * np.arange(len(order), 0, -1))
    corrected = np.empty_like(raised)
    corrected[order] = np.maximum.accumulate(raised)
    return [float(value) for value in corrected]
