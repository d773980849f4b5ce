"""Tasks by wordings."""

import re
from pathlib import Path

import pytest

from phraseproof.analysis.ranking import rank_wordings
from phraseproof.reports.charts.heatmap import heatmap
from phraseproof.reports.charts.plot import draw
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.other_metrics import ERRORS, LETTERS
from support.table_samples import RUN, scores


def test_every_score_is_a_square() -> None:
    chart = heatmap(rank_wordings(RUN.scores), ACCURACY, title="All")
    assert "All" in chart.title
    assert len(next(iter(chart.data.values()))) == len(RUN.scores)


def test_each_category_has_its_own_columns_under_its_name() -> None:
    chart = heatmap(
        rank_wordings(scores({"a/x": {"g": [0.2, 0.4]}, "b/y": {"g": [0.5], "long name": [0.9]}})), ACCURACY
    )
    places = {(row["task"], row["wording"]): row["_place"] for row in chart.data["squares"]}
    assert places == {("a/x", "g/1"): 0, ("a/x", "g/0"): 1, ("b/y", "g/0"): 0, ("b/y", "long name/0"): 1}
    assert [(row["row"], row["group"]) for row in chart.data["groups"]] == [
        ("a", "g"),
        ("b", "g"),
        ("b", "long name"),
    ]


def test_values_are_printed_and_colours_span_the_data(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    chart = heatmap(rank_wordings(scores({"a/x": {"g": [0.912, 0.944, 0.981]}})), ACCURACY)
    draw(chart, tmp_path / "map.svg", width=480)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "map.svg").read_text(encoding="utf-8"))
    assert {"91.2", "94.4", "98.1"} <= set(texts)
    # Three squares and the two ends and the middle of the legend.
    assert texts.count("91.2") == texts.count("98.1") == 2


def test_many_columns_are_drawn_as_wide_as_their_values_need() -> None:
    few = heatmap(rank_wordings(scores({"a/x": {"g": [0.1] * 5}})), ACCURACY)
    many = heatmap(rank_wordings(scores({"a/x": {"g": [0.1] * 40}})), ACCURACY)
    assert few.min_width < 390 < 900 < many.min_width


def test_another_metric_names_its_unit_and_light_squares_are_better() -> None:
    found = scores({"a/x": {"g": [12.5, 40.0]}, "a/y": {"g": [3.0, 20.0]}})
    more = heatmap(rank_wordings(found), LETTERS)
    assert [row["score"] for row in more.data["squares"]] == [40.0, 12.5, 20.0, 3.0]
    color = more.spec["layer"][0]["encoding"]["color"]
    assert color["scale"]["domain"] == [3.0, 40.0]
    assert (color["legend"]["title"], color["scale"]["reverse"]) == ("length (letters)", False)
    assert "The worst square is g/0 on a/y: 3 letters." in more.description
    less = heatmap(rank_wordings(found, higher_is_better=False), ERRORS)
    assert less.spec["layer"][0]["encoding"]["color"]["scale"]["reverse"]
    assert "The worst square is g/1 on a/x: 40 errors." in less.description
    assert {row["wording"]: row["_place"] for row in less.data["squares"]} == {"g/0": 0, "g/1": 1}
    assert "%" not in str(more.spec)


def test_values_that_are_long_have_wide_columns() -> None:
    short = heatmap(rank_wordings(scores({"a/x": {"g": [3.0] * 9}})), LETTERS)
    long = heatmap(rank_wordings(scores({"a/x": {"g": [0.000123] * 9}})), LETTERS)
    assert long.min_width > short.min_width


def test_very_many_columns_are_paged_on_a_web_page() -> None:
    many = rank_wordings(scores({"a/x": {"g": [n / 400 for n in range(350)]}}))
    chart = heatmap(many, ACCURACY, is_paged=True)
    assert (chart.columns, chart.columns_shown, chart.num_pages) == (350, 36, 10)
    assert chart.spec["layer"][0]["encoding"]["x"]["scale"]["domain"] == [-0.5, 35.5]
    assert len(chart.data["squares"]) == 350
    whole = heatmap(many, ACCURACY)
    assert (whole.columns, whole.columns_shown, whole.num_pages) == (0, 0, 0)
    assert whole.spec["layer"][0]["encoding"]["x"]["scale"]["domain"] == [-0.5, 349.5]
