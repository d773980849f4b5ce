"""Limits as data: which are given, and when a check counts as kept."""

from __future__ import annotations

import pytest

from phraseproof.reports.gate.limits import LimitCheck, Limits


def test_limits_are_empty_without_any() -> None:
    assert Limits().is_empty
    assert not Limits(margin=0.0).is_empty


@pytest.mark.parametrize(("over", "kept"), [(-1.0, True), (0.0, True), (1e-12, True), (1e-6, False)])
def test_a_limit_is_kept_up_to_the_rounding_of_sums_of_fractions(over: float, kept: bool) -> None:
    assert LimitCheck("--min-mean 70", "t, g", 70 - over, over, "a line").is_kept is kept
