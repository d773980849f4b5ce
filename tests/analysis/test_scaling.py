from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm

from phraseproof.analysis.scaling import ScalePoint, scale_points, scaling
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.evaluation.published import import_published, read_published
from phraseproof.store.queries import Run

RANDOM = np.random.default_rng(0)
POINTS = [
    ScalePoint(f"m{size}", size, f"t{n}", 0.05 - 0.01 * k + float(RANDOM.normal(0, 0.01)))
    for k, size in enumerate((10**8, 10**9, 10**10))
    for n in range(6)
]


@pytest.mark.parametrize("per_tenfold", [True, False])
def test_the_line_is_that_of_statsmodels(per_tenfold: bool):
    sizes = np.array([point.parameters for point in POINTS], dtype=float)
    x = np.log10(sizes) if per_tenfold else sizes / 1e9
    fitted = sm.OLS([point.gap for point in POINTS], sm.add_constant(x)).fit()
    found = scaling(POINTS, per_tenfold=per_tenfold)
    unit = 1 if per_tenfold else 1e9
    assert found.slope.estimate * unit == pytest.approx(fitted.params[1])
    assert found.slope.p_value == pytest.approx(fitted.pvalues[1])
    assert (found.slope.low or 0) * unit == pytest.approx(fitted.conf_int()[1][0])
    assert (found.slope.high or 0) * unit == pytest.approx(fitted.conf_int()[1][1])
    assert found.intercept == pytest.approx(fitted.params[0])
    assert found.r_squared == pytest.approx(fitted.rsquared)


def test_what_it_needs():
    with pytest.raises(NotEnoughDataError, match="two sizes"):
        scaling(POINTS[:6])
    with pytest.raises(NotEnoughDataError, match="three points"):
        scaling(POINTS[::12])
    flat = scaling([point._replace(gap=0.03) for point in POINTS])
    assert (flat.slope.estimate, flat.slope.p_value, flat.r_squared) == (0.0, 1.0, 0.0)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    path = tmp_path / "results.csv"
    path.write_text(
        "Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?\n"
        "M,A,NIV2,BC,1,0,0.6,L,TRUE\nM,A,BBL,Unobserved,1,0,0.5,L,TRUE\nM,B,BBL,Unobserved,1,0,0.5,L,TRUE\n",
        encoding="utf-8",
    )
    return import_published(read_published([path]), tmp_path / "run")


def test_points_are_reference_minus_other_on_tasks_that_have_both(run: Run):
    (point,) = scale_points(run, parameters=1000)
    assert (point.model, point.parameters, point.task) == ("M", 1000, "A")
    assert point.gap == pytest.approx(0.1)


def test_a_run_must_know_its_model_s_size_and_the_groups(run: Run):
    with pytest.raises(NotEnoughDataError, match="how many parameters"):
        scale_points(run)
    with pytest.raises(UsageError, match="'elsewhere'"):
        scale_points(run, group="elsewhere", parameters=1000)
