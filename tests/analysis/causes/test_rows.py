"""Means over the rows of a wording."""

from __future__ import annotations

import numpy as np

from phraseproof.analysis.causes.rows import mean_by


def test_means_are_over_the_rows_of_each_group_in_any_order() -> None:
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert mean_by(values, np.array([1, 0, 1])).tolist() == [[3, 4], [3, 4]]
    assert mean_by(values, np.array([2, 0, 1])).tolist() == [[3, 4], [5, 6], [1, 2]]
    assert mean_by(values[:, 0], np.array([0, 0, 0])).tolist() == [3]
