import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from phraseproof.analysis.significance.mcnemar import compare_wordings, mcnemar, wordings_against
from phraseproof.errors import NotEnoughDataError, UsageError
from support.grid_samples import grid, means_only

answers = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=60)


@settings(max_examples=100)
@given(answers)
def test_p_is_a_fair_coin_s(pairs: list[tuple[float, float]]):
    first, second = zip(*pairs, strict=True)
    gained = sum(b > a for a, b in pairs)
    lost = sum(b < a for a, b in pairs)
    found = mcnemar(first, second, name="x")
    assert found.estimate == pytest.approx((gained - lost) / len(pairs))
    expected = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert found.p_value == pytest.approx(min(1.0, expected))
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.high <= 1


def test_the_interval_by_hand():
    """Agresti & Min (2005): half an example more in each of the four outcomes; here 15 gained, 5 lost, of 100."""
    found = mcnemar([0.0] * 15 + [1.0] * 5 + [1.0] * 80, [1.0] * 15 + [0.0] * 5 + [1.0] * 80, name="x")
    gained, lost, n = 15.5 / 102, 5.5 / 102, 102
    centre, error = gained - lost, math.sqrt((gained + lost - (gained - lost) ** 2) / n)
    assert found.low == pytest.approx(centre - 1.959964 * error)
    assert found.high == pytest.approx(centre + 1.959964 * error)


def test_what_it_is_not_for():
    with pytest.raises(UsageError, match="right or wrong"):
        mcnemar([0.5], [1.0], name="x")
    with pytest.raises(NotEnoughDataError):
        mcnemar([], [], name="x")
    with pytest.raises(ValueError, match="different lengths"):
        mcnemar([1.0], [1.0, 0.0], name="x")


def test_wordings_of_a_task():
    scores = np.zeros((3, 40))
    scores[0, :30] = scores[1, :10] = scores[2, :29] = 1
    task = grid(scores)
    found = compare_wordings(task, "g/000", "g/001")
    assert found.estimate == pytest.approx(-0.5)
    assert found.p_value == pytest.approx(2 * 0.5**20)
    tests = wordings_against(task, "g/000")
    assert [each.instruction for each in tests] == ["g/001", "g/002"]
    assert tests[0].p_holm == pytest.approx(4 * 0.5**20)
    assert tests[1].p_holm == 1.0
    with pytest.raises(UsageError, match="no wording 'h'"):
        compare_wordings(task, "h", "g/001")
    with pytest.raises(NotEnoughDataError, match="outcomes of examples"):
        wordings_against(means_only([0.1, 0.2]), "g/000")
