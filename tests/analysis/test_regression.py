from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from phraseproof.analysis.regression import least_squares
from phraseproof.errors import NotEnoughDataError


def test_a_line_is_that_of_statsmodels_and_scipy():
    draw = np.random.default_rng(0)
    x = draw.normal(3, 2, 25)
    y = 0.4 - 0.1 * x + draw.normal(0, 0.3, 25)
    found = least_squares(x, y, confidence=0.9)
    fitted = sm.OLS(y, sm.add_constant(x)).fit()
    assert (found.intercept, found.slope) == pytest.approx(tuple(fitted.params))
    assert (found.low, found.high) == pytest.approx(tuple(fitted.conf_int(0.1)[1]))
    assert found.p_value == pytest.approx(fitted.pvalues[1])
    assert found.standard_error == pytest.approx(fitted.bse[1])
    assert found.r_squared == pytest.approx(fitted.rsquared)
    line: Any = stats.linregress(x, y)
    assert found.p_value == pytest.approx(line.pvalue)


def test_points_on_a_line_leave_no_doubt():
    found = least_squares([1, 2, 4], [3, 5, 9], confidence=0.95)
    assert (found.slope, found.intercept, found.p_value) == pytest.approx((2, 1, 0))
    assert (found.low, found.high) == pytest.approx((2, 2))


@pytest.mark.parametrize(("x", "y"), [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [2, 2, 2])])
def test_what_no_line_can_be_fitted_to(x: list[float], y: list[float]):
    with pytest.raises(NotEnoughDataError, match="regression needs"):
        least_squares(x, y, confidence=0.95)
