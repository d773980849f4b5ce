"""Resamples, normal deviations and folds of candidates."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.selection.candidates import Block, Candidates
from phraseproof.analysis.selection.resampling import bootstrap_means, folds, normal_deviations, resamples_for


def _candidates() -> Candidates:
    draw = np.random.default_rng(3)
    first, second = (draw.random((3, 40)) < 0.6).astype(float), draw.random((3, 25))
    twin = first * 0.5  # another model on the same examples
    return Candidates(
        ("a", "b", "c"), (Block("x", 0, first, 0.4), Block("y", 1, second, 0.3), Block("z", 0, twin, 0.3))
    )


@pytest.mark.parametrize("resample", [bootstrap_means, normal_deviations])
def test_deviations_have_the_covariance_of_means_and_strata_are_independent(resample) -> None:
    candidates = _candidates()
    found = resample(candidates, np.random.default_rng(0), 20_000)
    deviations = found - found.mean(axis=0)
    ddof = 0 if resample is bootstrap_means else 1
    for place, block in enumerate(candidates.blocks):
        expected = np.cov(block.scores, ddof=ddof) / block.scores.shape[1]
        assert np.cov(deviations[:, place].T) == pytest.approx(expected, abs=3e-4)
    # The same weights for the models of one stratum, others for another stratum.
    assert deviations[:, 2] == pytest.approx(deviations[:, 0] * 0.5)
    assert abs(np.corrcoef(deviations[:, 0, 0], deviations[:, 1, 0])[0, 1]) < 0.03


def test_bootstrap_means_are_means_of_whole_numbers_of_examples() -> None:
    candidates = _candidates()
    found = bootstrap_means(candidates, np.random.default_rng(1), 50)
    assert found[:, 0] * 40 == pytest.approx(np.round(found[:, 0] * 40))
    assert found.mean(axis=0)[0] == pytest.approx(candidates.means[0], abs=0.05)


def test_folds_hold_every_example_once_and_the_rest_is_what_they_leave() -> None:
    candidates = _candidates()
    parts = folds(candidates, np.random.default_rng(2), 7)
    sizes = np.array([[40], [25], [40]])
    assert parts.sums.sum(axis=0) == pytest.approx(candidates.means * sizes)
    for sums, rest in zip(parts.sums, parts.rest, strict=True):
        left = (candidates.means * sizes - sums) / rest
        # The same number of examples is left for every wording of a block.
        assert left == pytest.approx(np.round(left[:, :1]) * np.ones((1, 3)))
        assert np.all(left >= sizes - np.ceil(sizes / 7) - 1e-9)


def test_thousands_of_wordings_get_fewer_resamples() -> None:
    few, many = (Candidates(("",) * size, (Block("", 0, np.zeros((size, 2)), 1.0),)) for size in (50, 30_000))
    assert resamples_for(few) == 2000
    assert resamples_for(few, 100) == 100
    assert 500 <= resamples_for(many) < 1000
