from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phraseproof.analysis.significance.permutation import paired_permutation_test
from phraseproof.errors import NotEnoughDataError

values = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=7)


@settings(max_examples=30)
@given(values)
def test_p_counts_all_assignments_of_signs(pairs: list[tuple[int, int]]):
    first, second = ([value / 100 for value in side] for side in zip(*pairs, strict=True))
    found = paired_permutation_test(first, second, name="x")
    differences = [b - a for a, b in pairs]
    sums = [
        sum(s * d for s, d in zip(signs, differences, strict=True)) for signs in product((1, -1), repeat=len(pairs))
    ]
    assert found.p_value == pytest.approx(np.mean([abs(each) >= abs(sum(differences)) for each in sums]))
    assert found.estimate == pytest.approx(sum(differences) / 100 / len(pairs))
    assert "exact" in found.method


def test_many_pairs_are_drawn_by_a_seed_and_agree_with_the_t_test():
    from scipy import stats

    random = np.random.default_rng(0)
    first = random.normal(0.5, 0.1, 40)
    second = first + random.normal(0.02, 0.05, 40)
    found = paired_permutation_test(list(first), list(second), name="x")
    assert found.p_value == paired_permutation_test(list(first), list(second), name="x").p_value
    assert found.p_value == pytest.approx(stats.ttest_rel(second, first).pvalue, abs=0.01)
    assert "draws" in found.method


def test_the_smallest_p_is_one_in_20001():
    """40 equal differences: no drawn assignment of signs is as extreme, and the data themselves count as one."""
    found = paired_permutation_test([0.0] * 40, [0.1] * 40, name="x")
    assert found.p_value == pytest.approx(1 / 20_001)
    assert paired_permutation_test([0.0] * 14, [0.1] * 14, name="x").p_value == pytest.approx(2 / 2**14)


def test_p_is_rarely_small_where_nothing_differs():
    """p <= alpha in at most alpha of all cases, as a valid permutation p-value has it."""
    draw = np.random.default_rng(5)
    found = [
        paired_permutation_test([0.0] * 18, list(draw.normal(0, 1, 18)), name="x", seed=number).p_value
        for number in range(200)
    ]
    assert np.mean(np.array(found, dtype=float) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert np.mean(np.array(found, dtype=float) <= 0.5) == pytest.approx(0.5, abs=0.12)


def test_one_pair_is_not_enough():
    with pytest.raises(NotEnoughDataError, match="two pairs"):
        paired_permutation_test([0.1], [0.2], name="x")
