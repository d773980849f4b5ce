"""Scores of other programs: named, with a scale, and never computed here."""

from __future__ import annotations

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import UsageError
from phraseproof.scoring.imported import scaled_name
from phraseproof.scoring.registry import metric, scorer
from phraseproof.scoring.scorer import Reading


def test_a_score_is_kept_as_it_is() -> None:
    found = metric("imported:exact_match/strict")
    assert (found.name, found.unit, found.low, found.high) == ("imported:exact_match/strict", "%", 0.0, 1.0)
    assert found.score(Outcome("1", 0.25)) == 0.25


def test_a_scale_is_part_of_the_name() -> None:
    found = metric(scaled_name("helpful", (-1.0, 5.0)))
    assert (found.name, found.unit, found.low, found.high) == ("imported:helpful (-1 to 5)", "", -1.0, 5.0)
    assert not found.is_binary
    assert metric(scaled_name("acc", None)).is_binary


@pytest.mark.parametrize("scale", ["(5 to 1)", "(1 to 1)", "(1e999 to 2)", "(- to 2)"])
def test_scales_without_a_width_are_refused(scale: str) -> None:
    with pytest.raises(UsageError, match="not a scale"):
        metric(f"imported:x {scale}")


def test_no_evaluation_can_use_them() -> None:
    with pytest.raises(UsageError, match="the score of an imported run"):
        metric("imported:x").require(["a"])
    found = scorer("imported")
    assert found.reading is Reading.TEXT
    assert found.is_derived
    assert not found.can_derive_from(scorer("loglikelihood"))
    with pytest.raises(UsageError):
        found.values([-1.0], ["a"])
