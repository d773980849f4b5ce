"""Rows of a run by wording: a wording has a row for every draw of demonstrations and order of options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from phraseproof.analysis.grids import Floats, Ints

Singles: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"
"""Numbers of which there are millions, and of which few digits matter."""


def mean_by(values: Floats, group_of: Ints) -> Floats:
    """[W, ...] the means of values [R, ...] over the rows of each group, which are numbered from 0."""
    order = np.argsort(group_of, kind="stable")
    sizes = np.bincount(group_of)
    if (sizes == 1).all():
        return values[order]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.add.reduceat(values[order], starts, axis=0) / sizes.reshape(-1, *[1] * (values.ndim - 1))
