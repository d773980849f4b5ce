"""Grouped bars with error bars."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.reports.charts.plot import draw

MARKS = (
    Bar("closest", "small", 60.0, 55.0, 64.0),
    Bar("closest", "large", 70.0),
    Bar("a long name of a task_with_parts", "large", -5.5, -9.0, -2.0),
)


def test_labels_and_groups_are_in_the_order_in_which_they_come() -> None:
    chart = bars(MARKS, title="Accuracy", axis="accuracy (%)", error_bars="95% intervals", group_order=("large",))
    bar = chart.spec["layer"][0]["encoding"]
    assert bar["y"]["scale"]["domain"] == ["closest", "a long name of a task_with_parts"]
    assert bar["yOffset"]["scale"]["domain"] == ["large", "small"]
    assert bar["x"]["axis"]["title"] == ["accuracy (%)", "lines: 95% intervals"]
    assert chart.description == (
        "Accuracy; accuracy (%); lines: 95% intervals: closest, small: 60.0 (55.0 to 64.0); closest, large: 70.0; "
        "a long name of a task_with_parts, large: -5.5 (-9.0 to -2.0)."
    )


def test_groups_that_are_absent_keep_their_colour_and_take_no_space() -> None:
    chart = bars(MARKS[1:], title="t", axis="points", group_order=("small", "large"))
    bar = chart.spec["layer"][0]["encoding"]
    assert bar["color"]["scale"]["domain"] == ["small", "large"]
    assert bar["yOffset"]["scale"]["domain"] == ["large"]
    assert bar["color"]["legend"]["values"] == ["large"]


def test_without_error_bars_none_are_named() -> None:
    chart = bars([Bar("a", "", 1.0)], title="t", axis="distance", error_bars="95% intervals")
    assert chart.spec["layer"][0]["encoding"]["x"]["axis"]["title"] == "distance"
    assert chart.description == "t; distance: a: 1.0."


def test_differences_have_signs() -> None:
    chart = bars(MARKS, title="t", axis="difference (points)", signed=True)
    assert "closest, large: +70.0" in chart.description


def test_bars_begin_at_zero_and_end_at_their_value(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    marks = [Bar("a", "x", 50.0, 25.0, 75.0), Bar("b", "x", -25.0), Bar("c", "x", 100.0)]
    draw(bars(marks, title="t", axis="points"), tmp_path / "x.svg", width=480)
    text = (tmp_path / "x.svg").read_text(encoding="utf-8")
    found = re.findall(r'aria-roledescription="bar" d="M([-\d.]+),[-\d.]+h([-\d.]+)v', text)
    (start_a, width_a), (start_b, width_b), (start_c, width_c) = [(float(x), float(w)) for x, w in found]
    zero = start_a
    assert start_c == pytest.approx(zero)
    assert start_b + width_b == pytest.approx(zero)
    assert width_c == pytest.approx(2 * width_a, rel=1e-3)
    assert width_b == pytest.approx(width_a / 2, rel=1e-3)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    assert {"a", "b", "c"} <= set(texts)
