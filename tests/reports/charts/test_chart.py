"""What charts have in common."""

import pytest

from phraseproof.reports.charts.chart import (
    SHAPES,
    group_color,
    group_shape,
    number_format,
    score_axis,
    score_field,
    score_scale,
    tooltip,
    with_chance,
)
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.other_metrics import ERRORS, LETTERS


def test_a_single_group_needs_no_legend() -> None:
    assert group_color(["a"])["legend"] is None
    assert group_color(["a", "b"])["legend"] is not None
    assert group_shape(["a", "b"])["scale"]["range"] == list(SHAPES[:2])


@pytest.mark.parametrize(
    ("values", "domain"), [([40.0, 60.0], [40.0, 60.0]), ([50.0], [49.0, 51.0]), ([100.0], [99.0, 100.0])]
)
def test_a_scale_is_never_empty(values: list[float], domain: list[float]) -> None:
    assert score_scale(values, ACCURACY)["domain"] == domain


def test_numbers_in_tooltips_have_one_decimal() -> None:
    name, value = tooltip({"wording": "wording", "score": "accuracy"}, decimals=["score"])
    assert "format" not in name
    assert value["format"] == ".1f"


def test_names_and_formats_follow_the_metric() -> None:
    assert (score_field(ACCURACY), score_field(LETTERS)) == ("accuracy_percent", "score")
    assert (number_format(ACCURACY), number_format(LETTERS, signed=True)) == (".1f", "+.3g")
    assert (score_axis(ACCURACY)["title"], score_axis(ERRORS)["title"]) == ("accuracy (%)", "errors (errors)")


@pytest.mark.parametrize(
    ("values", "domain"),
    [([40.0], [39.6, 40.4]), ([0.0], [0.0, 1.0]), ([1000.0], [990.0, 1000.0]), ([1.0, 9.0], [1.0, 9.0])],
)
def test_scales_of_other_units_stay_in_the_metric_s_range(values: list[float], domain: list[float]) -> None:
    assert score_scale(values, LETTERS)["domain"] == pytest.approx(domain)


def test_without_chance_the_axis_holds_the_values() -> None:
    assert with_chance([3.0, 9.0], [], LETTERS) == ([3.0, 9.0], "length (letters)")
    assert with_chance([60.0, 70.0], [55.0], ACCURACY) == ([60.0, 70.0, 55.0], "accuracy (%); dashed: chance")
