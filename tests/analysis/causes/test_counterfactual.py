"""Counterfactual accuracies and their effects, compared with plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.analysis.causes.counterfactual import Evidence, effects


def made(rows: int, examples: int, options: int, seed: int = 0) -> Evidence:
    rng = np.random.default_rng(seed)
    free = rng.normal(size=(options, rows, examples)).astype(np.float32)
    priors = np.repeat(rng.normal(size=(options, rows, 1)), examples, axis=2).astype(np.float32)
    credit = np.eye(options)[rng.integers(0, options, examples)].T.astype(np.float32)
    is_read = (rng.random((rows, examples)) < 0.9).astype(np.float32)
    return Evidence(free, priors, credit, is_read, np.array([0, 5, 9]))


def accuracies(of: Evidence, block: slice) -> np.ndarray:
    """[v, w] the summed credit of v's evidence under w's prior, by a loop."""
    rows = of.free.shape[1]
    found = np.zeros((rows, rows))
    for v in range(rows):
        for w in range(rows):
            for e in range(*block.indices(of.free.shape[2])):
                chosen = int(np.argmax(of.free[:, v, e] + of.priors[:, w, e]))
                found[v, w] += of.credits[chosen, e] * of.is_read[v, e]
    return found


@pytest.mark.parametrize(("rows", "has_ties", "is_graded"), [(3, 0, 0), (6, 0, 0), (6, 1, 0), (6, 1, 1)])
def test_effects_are_the_least_squares_fit_to_pairs_of_different_rows(
    rows: int, has_ties: bool, is_graded: bool
) -> None:
    of = made(rows, 14, 3)
    if has_ties:  # the first one is chosen
        of = of._replace(free=np.round(of.free), priors=np.round(of.priors))
        highest = np.sort(of.free[:, :, None] + of.priors[:, None], axis=0)
        assert (highest[-1] == highest[-2]).mean() > 0.1
    if is_graded:
        of = of._replace(credits=np.random.default_rng(3).random((3, 14)).astype(np.float32))
    found = effects(of, np.arange(rows))
    for group, block in enumerate((slice(0, 5), slice(5, 9), slice(9, 14))):
        table = accuracies(of, block)
        pairs = [(v, w) for v in range(rows) for w in range(rows) if v != w]
        design = np.zeros((len(pairs), 2 * rows))
        for place, (v, w) in enumerate(pairs):
            design[place, v] = design[place, rows + w] = 1
        fitted = np.linalg.lstsq(design, np.array([table[pair] for pair in pairs]), rcond=None)[0]
        for mine, plain in ((found.skill[group], fitted[:rows]), (found.prior[group], fitted[rows:])):
            assert np.allclose(mine - mine.mean(), plain - plain.mean(), atol=1e-4)


def test_a_sample_of_rows_to_pair_with_gives_nearly_the_effects_of_all() -> None:
    of = made(40, 200, 3)
    of = of._replace(starts=np.array([0]))
    whole, part = effects(of, np.arange(40)), effects(of, np.arange(0, 40, 2))
    for mine, other in ((whole.skill[0], part.skill[0]), (whole.prior[0], part.prior[0])):
        assert np.corrcoef(mine, other)[0, 1] > 0.9
