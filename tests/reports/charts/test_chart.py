"""What charts have in common."""

import pytest

from phraseproof.reports.charts.chart import (
    SHAPES,
    group_color,
    group_shape,
    name_axis,
    name_height,
    name_width,
    number_format,
    plain_numbers,
    score_axis,
    score_field,
    score_scale,
    tooltip,
    with_chance,
    wrapped,
)
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.other_metrics import ERRORS, LETTERS


def test_a_single_group_needs_no_legend() -> None:
    assert group_color(["a"])["legend"] is None
    assert group_color(["a", "b"])["legend"] is not None
    assert group_shape(["a", "b"])["scale"]["range"] == list(SHAPES[:2])


def test_names_are_broken_where_their_parts_are_joined_and_never_cut() -> None:
    name = "lora+kl:gradient_accumulation=2:paraphrases_per_batch=1 at 0.001"
    lines = wrapped(name, 22)
    assert lines == ["lora+kl:gradient_", "accumulation=2:", "paraphrases_per_batch=", "1 at 0.001"]
    assert wrapped("best wording, calibrated", 22) == ["best wording,", "calibrated"]
    assert wrapped("x" * 50, 22) == ["x" * 22, "x" * 22, "x" * 6]
    assert wrapped("short", 22) == ["short"]
    assert wrapped("", 22) == [""]


def test_only_long_names_take_more_lines() -> None:
    short, long = ["a", "best wording"], ["a", "lora+kl:gradient_accumulation=2"]
    assert "labelExpr" not in name_axis(short)
    assert name_height(short) < name_height(long)
    assert name_width(["x" * 22]) == name_width(["x" * 22 + " y"]) > name_width(short)
    axis = name_axis(long)
    assert '["lora+kl:gradient_", "accumulation=2"]' in axis["labelExpr"]
    assert axis["labelLimit"] == 0


def test_zero_has_no_sign() -> None:
    assert plain_numbers(signed=True)["labelExpr"].startswith("datum.value === 0 ? '0'")
    assert plain_numbers() == {"format": "~f"}


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
