"""Estimates with their intervals."""

import re
from pathlib import Path

import pytest

from phraseproof.reports.charts.intervals import Interval, intervals
from phraseproof.reports.charts.plot import draw
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.other_metrics import LETTERS


def test_every_estimate_is_a_row_and_an_interval_may_be_missing() -> None:
    marks = [Interval("KB", "observed", 50.0, 40.0, 60.0), Interval("Tone", "observed", 70.0)]
    chart = intervals(marks, title="t", description="d", metric=ACCURACY)
    first, second = next(iter(chart.data.values()))
    assert 50.0 in first.values()
    assert {40.0, 60.0} <= set(first.values())
    assert 70.0 in second.values()
    assert (second["low"], second["high"]) == (None, None)
    assert (chart.title, chart.description) == ("t", "d")


@pytest.mark.parametrize("differences", [True, False])
@pytest.mark.parametrize("ends", [(-40.0, 55.0), (-3.0, 22.0), (0.1, 0.4)])
def test_axes_have_plain_numbers(tmp_path: Path, ends: tuple[float, float], *, differences: bool) -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    marks = [Interval("KB", "g", sum(ends) / 2, *ends)]
    draw(
        intervals(marks, title="t", description="d", metric=ACCURACY, differences=differences, chance={"KB": 10.0}),
        tmp_path / "x.svg",
        width=480,
    )
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "x.svg").read_text(encoding="utf-8"))
    numbers = [text for text in texts if re.search(r"\d", text) and "chance" not in text]
    assert len(numbers) > 2
    assert all(re.fullmatch(r"[+\u2212]?\d+(\.\d+)?", text) for text in numbers), numbers


def test_chance_is_a_line_in_its_row() -> None:
    marks = [Interval("KB", "g", 30.0, 20.0, 40.0), Interval("Tone", "g", 60.0)]
    chart = intervals(marks, title="t", description="d", metric=ACCURACY, chance={"KB": 25.0, "nowhere": 50.0})
    assert chart.data["chance"] == [{"row": "KB", "chance_percent": 25.0}]


def test_other_units_are_on_the_axis() -> None:
    marks = [Interval("KB", "g", 12.0, 10.0, 14.0)]
    means = intervals(marks, title="t", description="d", metric=LETTERS)
    assert means.data["intervals"][0]["estimate"] == 12.0
    assert means.spec["layer"][-1]["encoding"]["x"]["axis"]["title"] == "length (letters)"
    apart = intervals(marks, title="t", description="d", metric=LETTERS, differences=True)
    assert apart.data["intervals"][0]["difference"] == 12.0
    axis = apart.spec["layer"][-1]["encoding"]["x"]["axis"]
    assert (axis["title"], axis["format"]) == ("difference (letters)", "+~g")


def test_a_mark_in_other_units() -> None:
    assert Interval("a", "g", 0.5, 0.25).scaled(100) == Interval("a", "g", 50.0, 25.0)
