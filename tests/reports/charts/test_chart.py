"""What charts have in common."""

import pytest

from phraseproof.reports.charts.chart import SHAPES, group_color, group_shape, percent_scale, tooltip


def test_a_single_group_needs_no_legend() -> None:
    assert group_color(["a"])["legend"] is None
    assert group_color(["a", "b"])["legend"] is not None
    assert group_shape(["a", "b"])["scale"]["range"] == list(SHAPES[:2])


@pytest.mark.parametrize(
    ("values", "domain"), [([40.0, 60.0], [40.0, 60.0]), ([50.0], [49.0, 51.0]), ([100.0], [99.0, 100.0])]
)
def test_a_scale_is_never_empty(values: list[float], domain: list[float]) -> None:
    assert percent_scale(values)["domain"] == domain


def test_numbers_in_tooltips_have_one_decimal() -> None:
    name, value = tooltip({"wording": "wording", "score": "accuracy"}, decimals=["score"])
    assert "format" not in name
    assert value["format"] == ".1f"
