from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm
from statsmodels.stats.power import TTestIndPower

from phraseproof.analysis.power import EXAMPLES, Design, VarianceComponents, power, sizes_for, variance_components
from phraseproof.analysis.significance.mixed_model import mixed_effects
from phraseproof.errors import NotEnoughDataError, UsageError
from support.grid_samples import grid, means_only

COMPONENTS = VarianceComponents(0.0025, 0.15, 0.08, 1, 1)


def test_components_are_those_of_the_analysis_of_variance():
    scores = np.random.default_rng(0).integers(0, 2, (6, 15)).astype(float)
    frame = pd.DataFrame(
        [{"w": w, "e": e, "y": scores[w, e]} for w in range(6) for e in range(15)],
    )
    table = anova_lm(ols("y ~ C(w) + C(e)", frame).fit())
    squares = table["mean_sq"]
    found = variance_components([grid(scores)], "g")
    assert found.interaction == pytest.approx(squares["Residual"])
    assert found.example == pytest.approx(max(0, (squares["C(e)"] - squares["Residual"]) / 6))
    assert found.wording == pytest.approx(max(0, (squares["C(w)"] - squares["Residual"]) / 15))
    assert sum(found.shares) == pytest.approx(1)


def test_components_come_back_from_a_simulation():
    random = np.random.default_rng(1)
    grids = [
        grid(
            0.5 + random.normal(0, 0.05, (20, 1)) + random.normal(0, 0.3, (1, 200)) + random.normal(0, 0.2, (20, 200)),
            task=f"t{n}",
        )
        for n in range(30)
    ]
    found = variance_components(grids, "g")
    assert found.wording == pytest.approx(0.05**2, rel=0.15)
    assert found.example == pytest.approx(0.3**2, rel=0.1)
    assert found.interaction == pytest.approx(0.2**2, rel=0.05)
    assert (found.num_tasks, found.num_sets) == (30, 1)


def test_components_need_two_of_each():
    for few in (grid([[1.0, 0.0]]), grid([[1.0], [0.0]]), means_only([0.1, 0.2])):
        with pytest.raises(NotEnoughDataError, match="two wordings"):
            variance_components([few], "g")
    assert variance_components([grid(np.ones((2, 2)))], "g").shares == (0.0, 0.0, 0.0)


def test_power_of_two_groups_is_that_of_the_two_sample_t_test():
    """With endlessly many examples nothing but wordings is left to chance."""
    found = power(COMPONENTS, 0.05, wordings=12, examples=10**9)
    expected = TTestIndPower().power(effect_size=0.05 / 0.05, nobs1=12, alpha=0.05)
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("design", Design)
def test_power_is_the_share_of_simulations_that_see_the_difference(design: Design):
    random = np.random.default_rng(2)
    wordings, examples, difference, runs = 10, 100, 0.06, 1000
    of_wording, of_example, interaction = (np.sqrt(part) for part in (0.0025, 0.01, 0.08))
    seen = 0
    for _ in range(runs):
        common = random.normal(0, of_example, examples)
        groups = [
            shift + random.normal(0, of_wording, (wordings, 1)) + common
            + random.normal(0, interaction, (wordings, examples))
            for shift in (0.0, difference)
        ]  # fmt: skip
        if design is Design.GROUPS:
            tested: Any = stats.ttest_ind(*(group.mean(axis=1) for group in groups))
            p_value = tested.pvalue
        else:
            values = groups[1]
            by_wording, by_example = values.mean(axis=1), values.mean(axis=0)
            parts = by_wording.var(ddof=1) / wordings, by_example.var(ddof=1) / examples
            freedom = sum(parts) ** 2 / (parts[0] ** 2 / (wordings - 1) + parts[1] ** 2 / (examples - 1))
            p_value = 2 * stats.t.sf(abs(values.mean()) / np.sqrt(sum(parts)), freedom)
        seen += p_value < 0.05
    components = VarianceComponents(0.0025, 0.01, 0.08, 1, 1)
    found = power(components, difference, wordings=wordings, examples=examples, design=design)
    assert found == pytest.approx(seen / runs, abs=0.05)


def test_the_fewest_wordings_reach_the_power_and_one_less_does_not():
    sizes = sizes_for(COMPONENTS, 0.03, examples=(50, 200, 1000))
    assert [size.examples for size in sizes] == [50, 200, 1000]
    assert sizes[0].wordings > sizes[1].wordings > sizes[2].wordings
    for size in sizes:
        assert size.power >= 0.8
        assert power(COMPONENTS, 0.03, wordings=size.wordings - 1, examples=size.examples) < 0.8


def test_more_tasks_help_more_where_their_wordings_differ():
    shared, own = COMPONENTS._replace(num_tasks=10), COMPONENTS._replace(num_tasks=10, num_sets=10)
    alone, together, apart = (power(each, 0.03, wordings=5, examples=50) for each in (COMPONENTS, shared, own))
    assert alone < together < apart


def test_what_no_number_of_wordings_can_see_is_left_out():
    assert sizes_for(COMPONENTS, 0.03, design=Design.RUNS, examples=(50, 5000)) == sizes_for(
        COMPONENTS, 0.03, design=Design.RUNS, examples=(5000,)
    )


def test_nothing_that_varies_is_always_seen():
    assert power(VarianceComponents(0, 0, 0, 1, 1), 0.01, wordings=2, examples=2) == 1.0


def exact_power(shift: float, freedom: float) -> float:
    """The two-sided power by quadrature of the definition over the chi-squared distribution (scipy's adaptive rule)."""
    limit = stats.t.ppf(0.975, freedom)

    def seen(quantile: float) -> float:
        spread = np.sqrt(stats.chi2.ppf(quantile, freedom) / freedom)
        return float(stats.norm.sf(limit * spread - shift) + stats.norm.cdf(-limit * spread - shift))

    return float(integrate.quad(seen, 0, 1, limit=200, epsabs=1e-10)[0])


def test_power_is_a_number_in_every_setting_and_the_right_one():
    """A scan of 1,400 settings, in many of which scipy 1.17's noncentral t is NaN."""
    checked = 0
    for wording in (1e-6, 1e-4, 0.0025, 0.02):
        for interaction in (0.0, 0.01, 0.08, 0.25):
            for difference in (0.001, 0.01, 0.03, 0.1, 0.5):
                components = VarianceComponents(wording, 0.1, interaction, 1, 1)
                for examples in (50, 1000):
                    found = [
                        power(components, difference, wordings=count, examples=examples)
                        for count in (2, 3, 4, 6, 10, 20, 50, 200, 1000)
                    ]
                    assert np.isfinite(found).all()
                    assert min(found) >= 0.05 - 1e-9
                    assert max(found) <= 1
                    assert np.all(np.diff(found) >= -1e-9), "more wordings never see less"
                    checked += len(found)
                count = 6
                variance = 2 * (wording + interaction / 50) / count
                wanted = exact_power(difference / np.sqrt(variance), 2 * (count - 1))
                assert power(components, difference, wordings=count, examples=50) == pytest.approx(wanted, abs=1e-6)
    assert checked == 1440


def test_power_of_a_published_table():
    """Two-sample t-test at 5%, two-sided (Cohen 1988, table 2.3.5 and 2.4.1): d = 0.5, n = 64 and d = 0.8, n = 26."""
    for effect, count, wanted in ((0.5, 64, 0.80), (0.8, 26, 0.81), (0.2, 393, 0.80), (0.5, 20, 0.33), (1.0, 10, 0.56)):
        found = power(VarianceComponents(1.0, 0, 0, 1, 1), effect, wordings=count, examples=10)
        assert found == pytest.approx(wanted, abs=0.01)


def test_two_wordings_that_are_enough_are_found():
    """The case that used to be read as not reached: components of a model that hardly depends on the wording."""
    components = VarianceComponents(1e-6, 0.05, 0.0001, 1, 1)
    sizes = sizes_for(components, 0.03)
    assert [size.wordings for size in sizes] == [2] * len(EXAMPLES)
    assert all(size.power > 0.99 for size in sizes)


@pytest.mark.parametrize("design", Design)
def test_sizes_are_the_first_of_a_full_search(design: Design):
    for wording, example, interaction in ((0.0025, 0.15, 0.08), (0.0, 0.02, 0.3), (0.01, 0.0, 0.0), (1e-5, 0.1, 0.01)):
        components = VarianceComponents(wording, example, interaction, 3, 1)
        for difference in (0.02, 0.05):
            by_examples = {size.examples: size for size in sizes_for(components, difference, design=design)}
            for examples in (50, 500):
                reached = [
                    power(components, difference, wordings=count, examples=examples, design=design) >= 0.8
                    for count in range(2, 1001)
                ]
                wanted = reached.index(True) + 2 if any(reached) else None
                found = by_examples.get(examples)
                assert (found.wordings if found else None) == wanted


def test_components_that_are_not_numbers_are_refused():
    with pytest.raises(NotEnoughDataError):
        power(VarianceComponents(float("nan"), 0.1, 0.1, 1, 1), 0.03, wordings=5, examples=50)


@pytest.mark.parametrize("difference", [float("nan"), float("inf"), -1.0])
def test_differences_that_make_no_sense(difference: float):
    with pytest.raises(UsageError, match="above 0"):
        power(COMPONENTS, difference, wordings=10, examples=10)


def test_sizes_that_make_no_sense():
    with pytest.raises(UsageError, match="above 0"):
        power(COMPONENTS, 0.0, wordings=10, examples=10)
    with pytest.raises(UsageError, match="at least two wordings"):
        power(COMPONENTS, 0.1, wordings=1, examples=10)


class TestMixedEffects:
    def test_standard_deviations_come_back_from_a_simulation(self):
        random = np.random.default_rng(0)
        odds = 0.3 + random.normal(0, 1.0, (24, 1)) + random.normal(0, 0.6, (1, 120))
        found = mixed_effects(grid(random.random((24, 120)) < 1 / (1 + np.exp(-odds))), "g")
        assert found.wording_std == pytest.approx(1.0, rel=0.3)
        assert found.example_std == pytest.approx(0.6, rel=0.3)
        assert found.wording_low < found.wording_std < found.wording_high
        assert found.wording + found.example + found.interaction == pytest.approx(1)
        assert found.wording > found.example

    def test_without_a_wording_effect_its_share_is_small(self):
        random = np.random.default_rng(1)
        odds = np.zeros((12, 1)) + random.normal(0, 1.0, (1, 100))
        assert mixed_effects(grid(random.random((12, 100)) < 1 / (1 + np.exp(-odds))), "g").wording < 0.03

    def test_a_large_task_is_sampled(self):
        random = np.random.default_rng(2)
        assert mixed_effects(grid(random.integers(0, 2, (5, 300))), "g", max_cells=200).num_cells == 200

    @pytest.mark.parametrize("scores", [np.ones((2, 20)), np.eye(3), np.full((4, 20), 0.5), np.ones((4, 20))])
    def test_what_it_cannot_be_fitted_to(self, scores: np.ndarray):
        with pytest.raises(NotEnoughDataError):
            mixed_effects(grid(scores), "g")
