"""How separate the groups of a panel are. `test_distance.py` makes maps, from the vectors that it has."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.studies.representations import Panel

LABELS = tuple((group, f"c/{number}", "e") for group in ("observed", "unobserved") for number in range(2))


def panel(values: list[float]) -> Panel:
    vectors = np.array(values)[:, None]
    return Panel("bbl", LABELS, vectors, np.zeros((4, 2)))


def test_the_silhouette_is_that_of_the_vectors() -> None:
    # Of 0: a = 1, the mean distance to the others of its group; b = 10.5, to the other group: (b - a) / b = .905.
    # Of 1: a = 1, b = 9.5: .895. The other group is symmetric.
    assert panel([0, 1, 10, 11]).silhouette == pytest.approx((2 * (9.5 / 10.5) + 2 * (8.5 / 9.5)) / 4)
    assert panel([0, 10, 0, 10]).silhouette == pytest.approx(-0.5)


def test_equal_vectors_and_single_groups_have_none() -> None:
    assert panel([1, 1, 1, 1]).silhouette is None
    assert Panel("bbl", LABELS[:2], np.array([[0.0], [1.0]]), np.zeros((2, 2))).silhouette is None
