"""Standard errors for other numbers of levels, against simulated means and an exhaustive search."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from phraseproof.analysis.facets.effort import best_split, doubled, effort, standard_error, useless
from phraseproof.core import Finding

VARIANCES = {
    ("wordings",): 0.3,
    ("draws",): 0.2,
    ("examples",): 1.0,
    ("wordings", "draws"): 0.1,
    ("wordings", "examples"): 0.3,
    ("draws", "examples"): 0.3,
    ("wordings", "draws", "examples"): 1.0,
}
COMPONENTS = {facets: Finding(" x ".join(facets), value, 1, "given") for facets, value in VARIANCES.items()}


def test_standard_errors_are_those_of_simulated_means() -> None:
    rng = np.random.default_rng(0)
    levels = {"wordings": 4, "draws": 3, "examples": 10}
    names = list(levels)
    scores = np.zeros((4000, 4, 3, 10))
    own = np.zeros((4000, 4, 3, 10))
    for facets, variance in VARIANCES.items():
        shape = [4000, *(levels[name] if name in facets else 1 for name in names)]
        effects = rng.normal(0, variance**0.5, shape)
        scores = scores + effects
        own = own + (0 if facets == ("wordings",) else effects)
    found = effort(COMPONENTS, levels)
    assert found.mean == pytest.approx(scores.mean(axis=(1, 2, 3)).std(), rel=0.05)
    # The error of one wording's own mean leaves out what makes the wording better or worse than others.
    assert found.wording == pytest.approx(own[:, 0].mean(axis=(1, 2)).std(), rel=0.05)
    assert found.prompts == 120


def test_twice_the_levels_and_what_changes_nothing() -> None:
    levels = {"wordings": 5, "draws": 6, "examples": 25}
    twice = doubled(COMPONENTS, levels)
    assert twice["draws"].levels == {"wordings": 5, "draws": 12, "examples": 25}
    assert twice["draws"].mean == pytest.approx(standard_error(COMPONENTS, {**levels, "draws": 12}))
    assert useless(twice, effort(COMPONENTS, levels)) == []
    rare = {**COMPONENTS, ("wordings",): Finding("wordings", 30.0, 1, "given")}
    assert useless(doubled(rare, levels), effort(rare, levels)) == ["draws", "examples"]


def test_without_wordings_there_is_no_wordings_own_mean() -> None:
    components = {("draws",): Finding("draws", 0.2, 1, "given")}
    assert effort(components, {"draws": 4}).wording is None
    assert effort(components, {"draws": 4}).mean == pytest.approx((0.2 / 4) ** 0.5)


def test_the_best_split_is_that_of_an_exhaustive_search() -> None:
    levels = {"wordings": 2, "draws": 3, "examples": 4}
    every = [
        (standard_error(COMPONENTS, dict(zip(levels, counts, strict=True))), counts)
        for counts in product(range(1, 25), repeat=3)
        if counts[0] * counts[1] * counts[2] <= 24
    ]
    least, counts = min(every)
    found = best_split(COMPONENTS, levels)
    assert found.mean == pytest.approx(least)
    assert tuple(found.levels.values()) == counts
    # Of many prompts not every number is tried, and no split is worse than that of the run.
    many = {"wordings": 20, "draws": 10, "examples": 1000}
    large = best_split(COMPONENTS, many)
    assert large.prompts <= 200_000
    assert large.mean <= effort(COMPONENTS, many).mean
