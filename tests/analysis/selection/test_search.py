"""Sequential halving and racing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from phraseproof.analysis.selection.search import Search, Strategy, least_calls
from phraseproof.errors import UsageError


def _run(strategy: Strategy, scores: np.ndarray, calls: int) -> Search:
    search = Search(strategy, len(scores), scores.shape[1], calls)
    while (batch := search.next_batch()) is not None:
        search.add(batch, scores[batch.wordings, batch.first : batch.last])
    return search


def _scores(draw: np.random.Generator, shares: np.ndarray, examples: int) -> np.ndarray:
    """Right and wrong answers, correlated by how hard an example is."""
    hard = draw.standard_normal(examples)
    own = draw.standard_normal((len(shares), examples))
    return (norm.ppf(shares)[:, None] > np.sqrt(0.5) * (hard + own)).astype(float)


def test_halving_keeps_the_better_half_and_the_first_round_has_half_of_the_calls() -> None:
    scores = np.tile(np.linspace(0, 1, 16)[:, None], (1, 1000))
    search = Search(Strategy.HALVING, 16, 1000, 768)
    seen = []
    while (batch := search.next_batch()) is not None:
        seen.append((batch.wordings.tolist(), batch.first, batch.last))
        search.add(batch, scores[batch.wordings, batch.first : batch.last])
    # A round of 384 calls and three of 128: 24, 16, 32 and 64 more examples for 16, 8, 4 and 2 wordings.
    assert [(len(rows), last - first) for rows, first, last in seen] == [(16, 24), (8, 16), (4, 32), (2, 64)]
    assert seen[1][0] == list(range(8, 16))
    assert search.best == 15
    assert search.spent == 768
    assert search.counts.tolist() == [24] * 8 + [40] * 4 + [72] * 2 + [136] * 2


@pytest.mark.parametrize("strategy", list(Strategy))
def test_calls_and_examples_are_never_exceeded(strategy: Strategy) -> None:
    draw = np.random.default_rng(0)
    for wordings, examples, calls in ((7, 15, 400), (20, 50, 137), (2, 10, 9), (50, 300, 6000)):
        search = _run(strategy, _scores(draw, np.full(wordings, 0.6), examples), calls)
        assert search.spent <= calls
        assert search.counts.max() <= examples
        assert search.spent == search.counts.sum()


def test_too_few_calls_are_refused() -> None:
    assert least_calls(Strategy.HALVING, 50) == 300
    assert least_calls(Strategy.RACING, 50) == 50
    with pytest.raises(UsageError, match="at least 300"):
        Search(Strategy.HALVING, 50, 100, 299)


def test_racing_drops_the_best_in_one_of_twenty_races_at_most_and_drops_clearly_worse_ones() -> None:
    draw = np.random.default_rng(1)
    lost, dropped = 0, 0
    for _ in range(300):
        # All equal: any drop is an error for the first wording, which is as good as a best one.
        search = _run(Strategy.RACING, _scores(draw, np.full(5, 0.6), 300), 10_000)
        lost += not search.alive[0]
        assert search.alive.tolist() == search.maybe_best.tolist()
        search = _run(Strategy.RACING, _scores(draw, np.array([0.8, 0.5, 0.5]), 300), 10_000)
        dropped += search.alive.tolist() == [True, False, False]
    assert lost / 300 <= 0.05
    assert dropped / 300 > 0.9


def test_halving_as_well_tells_which_wordings_are_worse_and_keeps_the_best_among_the_others() -> None:
    draw = np.random.default_rng(3)
    kept, shown = 0, 0
    for _ in range(200):
        shares = np.array([0.5, 0.45, 0.9, 0.5])
        search = _run(Strategy.HALVING, _scores(draw, shares, 200), 600)
        kept += bool(search.maybe_best[2])
        shown += int((~search.maybe_best).sum())
    assert kept / 200 >= 0.95
    # Two are dropped on some forty examples, where a difference of 40 points shows.
    assert shown / 200 > 1.5


def test_halving_has_a_smaller_regret_than_equal_calls_for_all() -> None:
    draw = np.random.default_rng(2)
    regret = dict.fromkeys(Strategy, 0.0)
    for _ in range(150):
        shares = norm.cdf(0.3 + 0.2 * draw.standard_normal(30))
        scores = _scores(draw, shares, 300)
        for strategy in Strategy:
            regret[strategy] += shares.max() - shares[_run(strategy, scores, 600).best]
    assert regret[Strategy.HALVING] < 0.7 * regret[Strategy.UNIFORM]
    assert regret[Strategy.RACING] < 1.1 * regret[Strategy.UNIFORM]
    assert math.isfinite(regret[Strategy.RACING])


def test_halving_finds_a_wording_that_is_far_better_than_all_others_nearly_as_often_as_equal_calls() -> None:
    """The others make a model give one answer to everything, as real ones do, and so are right on the same examples.

    If all rounds have equal calls, the first one has four examples, on which one constant answer is often as good.
    """
    draw = np.random.default_rng(4)
    found = dict.fromkeys((Strategy.HALVING, Strategy.UNIFORM), 0)
    for _ in range(200):
        answers = draw.integers(4, size=120)
        scores = np.array([answers == constant for constant in [0] * 11 + [1] * 6], dtype=float)
        scores[11] = draw.random(120) < 0.63
        for strategy in found:
            found[strategy] += _run(strategy, scores, 340).best == 11
    assert found[Strategy.UNIFORM] > 180
    assert found[Strategy.HALVING] > 0.9 * found[Strategy.UNIFORM]
