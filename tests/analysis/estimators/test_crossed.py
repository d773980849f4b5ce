import math

import numpy as np
import pytest
from scipy import stats

from phraseproof.analysis.estimators.crossed import Term, crossed_mean, draw_samples
from phraseproof.analysis.estimators.extremes import extremes
from phraseproof.analysis.estimators.resampling import Resampler, example_noise
from phraseproof.analysis.grids import TaskGrid
from phraseproof.core import Finding
from support.grid_samples import draw, grid, means_only


def mean_of(*grids: TaskGrid, seed: int = 0, is_difference: bool = False) -> Finding:
    drawn = Resampler(seed, 2000)
    terms = [Term(sample, 1 / len(grids)) for each in grids for sample in draw_samples(each, drawn).values()]
    return crossed_mean(terms, name="m", is_difference=is_difference)


def test_wordings_alone_are_a_t_interval():
    """With one example there is nothing but wordings: the textbook's interval for a mean."""
    values = list(np.random.default_rng(0).normal(0.5, 0.1, 12))
    found = mean_of(means_only(values))
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert found.estimate == pytest.approx(np.mean(values))
    assert found.degrees_of_freedom == pytest.approx(11)
    assert found.standard_error == pytest.approx(np.std(values, ddof=1) / math.sqrt(12), rel=0.05)
    assert (found.low, found.high) == (
        pytest.approx(expected.low, abs=0.005),
        pytest.approx(expected.high, abs=0.005),
    )
    assert "over wordings only" in found.method


def test_one_wording_is_a_t_interval_over_examples():
    values = np.random.default_rng(1).integers(0, 2, (1, 80)).astype(float)
    found = mean_of(grid(values))
    expected = stats.ttest_1samp(values[0], 0).confidence_interval()
    assert (found.low, found.high) == (pytest.approx(expected.low, abs=0.01), pytest.approx(expected.high, abs=0.01))
    assert "over examples only" in found.method


@pytest.mark.parametrize("examples", [60, 1500])
def test_the_error_is_that_of_two_crossed_samples(examples: int):
    """Owen (2007): the variances of wordings and of examples, and the interaction counted three times."""
    scores = draw(np.random.default_rng(2), 30, examples)
    found = mean_of(grid(scores))
    by_wording, by_example = scores.mean(axis=1), scores.mean(axis=0)
    left = scores - by_wording[:, None] - by_example + scores.mean()
    interaction = np.square(left).sum() / (29 * (examples - 1)) / scores.size
    wordings, of_examples = by_wording.var(ddof=1) / 30, by_example.var(ddof=1) / examples
    assert found.standard_error == pytest.approx(math.sqrt(wordings + of_examples + interaction), rel=0.06)
    assert found.n == scores.size
    freedom = (wordings + of_examples) ** 2 / (wordings**2 / 29 + of_examples**2 / (examples - 1))
    assert found.degrees_of_freedom == pytest.approx(freedom)


def test_wordings_that_serve_two_tasks_are_drawn_together():
    """Twice the same accuracies under the same wordings are one piece of evidence, not two."""
    means = [0.2, 0.5, 0.9, 0.4, 0.6]
    shared = mean_of(means_only(means), means_only(means, task="u"))
    alone = mean_of(means_only(means))
    assert shared.standard_error == pytest.approx(alone.standard_error)
    scores = np.random.default_rng(0).integers(0, 2, (5, 2000)).astype(float) * 0.01 + np.array(means)[:, None]
    apart = mean_of(grid(scores, own_wordings=True), grid(scores, task="u", own_wordings=True))
    assert apart.standard_error == pytest.approx((alone.standard_error or 0) / math.sqrt(2), rel=0.1)


def test_groups_of_a_task_answer_the_same_examples():
    """How hard the examples are cancels in a difference of groups."""
    hard = np.random.default_rng(4).integers(0, 2, 300).astype(float)
    scores = np.tile(hard, (6, 1)) * 0.9 + np.linspace(0, 0.02, 6)[:, None]
    drawn = draw_samples(grid(scores, groups=["a", "b"] * 3), Resampler(0, 1000))
    apart = crossed_mean([Term(drawn["a"], 1.0), Term(drawn["b"], -1.0)], name="d", is_difference=True)
    alone = crossed_mean([Term(drawn["a"], 1.0)], name="a")
    assert (apart.standard_error or 0) < (alone.standard_error or 0) / 3


def test_the_same_seed_gives_the_same_interval():
    scores = draw(np.random.default_rng(5), 8, 40)
    assert mean_of(grid(scores), seed=3) == mean_of(grid(scores), seed=3)
    assert mean_of(grid(scores), seed=3).low != mean_of(grid(scores), seed=4).low


def test_without_chance_there_is_a_limit_or_no_interval():
    assert mean_of(grid([[1.0, 1.0], [1.0, 1.0]])).low is None
    assert mean_of(means_only([0.3])).method.startswith("no interval")
    same = mean_of(grid([[0.0, 0.0], [0.0, 0.0]]), is_difference=True)
    assert (same.low, same.high, same.p_value) == (0.0, 0.0, 1.0)
    constant = mean_of(grid([[0.25, 0.25], [0.25, 0.25]]), is_difference=True)
    assert (constant.low, constant.high, constant.p_value) == (0.25, 0.25, 0.0)


def test_p_and_interval_agree():
    random = np.random.default_rng(6)
    for _ in range(20):
        found = mean_of(grid(random.normal(0.05, 0.3, (6, 30))), is_difference=True)
        assert found.low is not None
        assert found.high is not None
        assert found.p_value is not None
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_the_noise_of_examples_is_the_error_mean_square():
    scores = draw(np.random.default_rng(7), 10, 90)
    left = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0) + scores.mean()
    expected = np.square(left).sum() / (9 * 89) / 90
    task = grid(scores)
    assert example_noise(task.means, Resampler(0, 4000).means(task)) == pytest.approx(expected, rel=0.05)


class TestExtremes:
    def test_one_wording_is_wilson_s_interval(self):
        from statsmodels.stats.proportion import proportion_confint

        task = grid([[1.0] * 30 + [0.0] * 10])
        found = extremes(task.means, Resampler(0, 4000).means(task), 40)
        assert (found.lowest.low, found.lowest.high) == pytest.approx(
            proportion_confint(30, 40, method="wilson"), abs=0.02
        )
        assert found.range.value == 0.0

    def test_ten_right_of_ten_do_not_make_a_wording_perfect(self):
        task = grid(np.ones((3, 10)))
        found = extremes(task.means, Resampler(0, 400).means(task), 10)
        assert found.lowest.low < 0.75
        assert (found.range.low, found.range.value) == (0.0, 0.0)
        assert found.range.high > 0.2

    def test_what_examples_do_to_all_wordings_does_not_move_their_distance(self):
        hard = np.random.default_rng(0).normal(0, 0.3, 50)
        task = grid(hard + np.array([[0.1], [0.2], [0.6]]))
        found = extremes(task.means, Resampler(0, 400).means(task))
        assert found.range.low == pytest.approx(0.5, abs=1e-6)
        assert found.range.high == pytest.approx(0.5, abs=1e-6)
        assert found.highest.high - found.highest.low > 0.1
