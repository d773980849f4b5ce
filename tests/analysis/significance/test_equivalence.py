import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from phraseproof.analysis.significance.equivalence import Answer, equivalence, not_worse
from phraseproof.analysis.significance.paired_t import paired_t_test
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError


def finding(estimate: float, error: float = 0.01, freedom: float = 30) -> Finding:
    return Finding("x", estimate, 31, "by hand", standard_error=error, degrees_of_freedom=freedom)


@pytest.mark.parametrize("margin", [0.005, 0.02, 0.05])
def test_p_is_that_of_statsmodels(margin: float):
    random = np.random.default_rng(3)
    first = random.normal(0.6, 0.1, 15)
    second = first + random.normal(0.004, 0.02, 15)
    expected, _, _ = ttost_paired(second, first, -margin, margin)
    ours = equivalence(paired_t_test(list(first), list(second), name="x"), margin)
    assert ours.p_value == pytest.approx(float(expected))


def test_the_three_words():
    assert equivalence(finding(0.001), 0.02).word is Answer.EQUIVALENT
    assert equivalence(finding(-0.05), 0.02).word is Answer.DIFFERENT
    assert equivalence(finding(0.05), 0.02).word is Answer.DIFFERENT
    assert equivalence(finding(0.01), 0.02).word is Answer.UNCLEAR
    assert equivalence(finding(0.001, error=0.1), 0.02).word is Answer.UNCLEAR


def test_not_worse_looks_down_only():
    assert not_worse(finding(0.5), 0.02).word is Answer.EQUIVALENT
    assert not_worse(finding(-0.05), 0.02).word is Answer.DIFFERENT
    assert not_worse(finding(-0.01), 0.02).word is Answer.UNCLEAR


def test_where_nothing_varies_the_difference_is_what_it_is():
    same = paired_t_test([0.5, 0.6], [0.5, 0.6], name="x")
    assert equivalence(same, 0.02).word is Answer.EQUIVALENT
    lower = paired_t_test([0.5, 0.6], [0.25, 0.35], name="x")
    assert equivalence(lower, 0.02).word is Answer.DIFFERENT
    assert not_worse(lower, 0.02).p_value == 1.0


def test_what_it_needs():
    with pytest.raises(UsageError, match="above 0"):
        equivalence(finding(0.0), 0.0)
    with pytest.raises(UsageError):
        equivalence(finding(0.0), float("nan"))
    with pytest.raises(NotEnoughDataError, match="standard error"):
        equivalence(Finding("x", 0.1, 1, "no interval"), 0.02)
