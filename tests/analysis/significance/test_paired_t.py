import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import DescrStatsW

from phraseproof.analysis.robustness import summarize
from phraseproof.analysis.significance.paired_t import compare_groups, paired_t_test
from phraseproof.errors import NotEnoughDataError
from phraseproof.store.queries import WordingScore

accuracy = st.integers(0, 10_000).map(lambda count: count / 10_000)
pairs = st.lists(st.tuples(accuracy, accuracy), min_size=2, max_size=30)


def interval_of(finding):
    assert finding.low is not None
    assert finding.high is not None
    return finding.low, finding.high


@given(pairs)
def test_agrees_with_statsmodels(rows: list[tuple[float, float]]):
    first, second = zip(*rows, strict=True)
    differences = [after - before for before, after in rows]
    assume(max(differences) - min(differences) > 1e-9)
    found = paired_t_test(first, second, name="second minus first")
    independent = DescrStatsW(differences)
    _, p_value, _ = independent.ttest_mean(0)
    low, high = independent.tconfint_mean(0.05)
    assert found.n == len(rows)
    assert found.estimate == pytest.approx(sum(differences) / len(differences), abs=1e-12)
    assert found.p_value == pytest.approx(p_value, rel=1e-6, abs=1e-12)
    assert interval_of(found) == pytest.approx((low, high), rel=1e-6, abs=1e-9)


def test_a_textbook_example_by_hand():
    """Differences 2, 4, 6: mean 4, Std 2, t = 4 / (2 / sqrt 3) = 3.4641 with 2 degrees of freedom, p = 0.0742."""
    found = paired_t_test([1.0, 1.0, 1.0], [3.0, 5.0, 7.0], name="x")
    assert found.estimate == 4
    assert found.p_value == pytest.approx(0.07418, abs=1e-5)
    margin = 4.302653 * 2 / math.sqrt(3)
    assert interval_of(found) == pytest.approx((4 - margin, 4 + margin), abs=1e-5)
    assert found.method == "paired t-test, two-sided"


@given(pairs)
def test_always_answers_with_numbers_and_in_order(rows: list[tuple[float, float]]):
    first, second = zip(*rows, strict=True)
    found = paired_t_test(first, second, name="x")
    low, high = interval_of(found)
    assert low <= found.estimate + 1e-12
    assert found.estimate <= high + 1e-12
    assert found.p_value is not None
    assert 0 <= found.p_value <= 1


@given(pairs)
def test_swapping_the_groups_swaps_the_sign(rows: list[tuple[float, float]]):
    first, second = zip(*rows, strict=True)
    there, back = paired_t_test(first, second, name="x"), paired_t_test(second, first, name="x")
    assert there.estimate == pytest.approx(-back.estimate, abs=1e-12)
    assert there.p_value == pytest.approx(back.p_value)
    assert interval_of(there) == pytest.approx([-end for end in reversed(interval_of(back))], abs=1e-12)


@given(st.lists(accuracy, min_size=2, max_size=10))
def test_no_difference_anywhere_is_p_1(values: list[float]):
    found = paired_t_test(values, values, name="x")
    assert (found.estimate, found.p_value, found.low, found.high) == (0, 1, 0, 0)


@given(st.lists(accuracy, min_size=2, max_size=10), st.sampled_from([0.1, -0.3, 0.001]))
def test_the_same_difference_everywhere_is_p_0_whatever_rounding_does(values: list[float], shift: float):
    found = paired_t_test(values, [value + shift for value in values], name="x")
    assert found.estimate == pytest.approx(shift)
    assert found.p_value == 0
    assert found.low == found.high == found.estimate
    assert "equal" in found.method


@pytest.mark.parametrize("means", [[], [0.5]])
def test_fewer_than_two_tasks_is_not_enough(means: list[float]):
    with pytest.raises(NotEnoughDataError, match="at least two tasks"):
        paired_t_test(means, means, name="x")


def test_groups_are_compared_over_the_tasks_that_have_both():
    def scores(task: str, **groups: list[float]):
        return [
            WordingScore(task, "c", group, f"{group}/{number}", 0, value, 10)
            for group, values in groups.items()
            for number, value in enumerate(values)
        ]

    everything = [
        *scores("one", old=[0.5, 0.7], new=[0.4]),
        *scores("two", old=[0.9], new=[0.6, 0.8]),
        *scores("three", old=[0.3], new=[0.2]),
        *scores("four", old=[0.1]),
    ]
    (summary,) = summarize(everything)
    found = compare_groups(summary, "new")
    assert found == paired_t_test([0.6, 0.9, 0.3], [0.4, 0.7, 0.2], name="new minus old")
    assert compare_groups(summary, "old", reference="new").estimate == pytest.approx(-found.estimate)


def test_an_interval_ends_where_differences_do():
    """Over two tasks the t distribution goes far beyond what two accuracies can differ by."""
    wide = paired_t_test([0.2, 0.3], [0.9, 0.4], name="d")
    low, high = interval_of(wide)
    assert low < -1
    assert high > 1
    assert interval_of(paired_t_test([0.2, 0.3], [0.9, 0.4], name="d", width=1.0)) == (-1.0, 1.0)
