"""Holm's correction, by hand and as in statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from phraseproof.analysis.significance.holm import holm


def test_by_hand() -> None:
    """Holm (1979): the smallest times 4, the next times 3, ..., never falling, never above 1."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


@settings(max_examples=15)  # 50 ms of statsmodels each
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_as_in_statsmodels(p_values: list[float]) -> None:
    _, expected, _, _ = multipletests(p_values, method="holm")
    assert holm(p_values) == pytest.approx(np.asarray(expected).tolist())
