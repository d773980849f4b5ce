"""Tasks by wordings."""

import re
from pathlib import Path

import pytest

from phraseproof.analysis.ranking import rank_wordings
from phraseproof.reports.charts.heatmap import heatmap
from phraseproof.reports.charts.plot import draw
from support.table_samples import RUN, scores


def test_every_score_is_a_square() -> None:
    chart = heatmap(rank_wordings(RUN.scores), title="All")
    assert "All" in chart.title
    assert len(next(iter(chart.data.values()))) == len(RUN.scores)


def test_each_category_has_its_own_columns_under_its_name() -> None:
    chart = heatmap(rank_wordings(scores({"a/x": {"g": [0.2, 0.4]}, "b/y": {"g": [0.5], "long name": [0.9]}})))
    places = {(row["task"], row["wording"]): row["_place"] for row in chart.data["squares"]}
    assert places == {("a/x", "g/1"): 0, ("a/x", "g/0"): 1, ("b/y", "g/0"): 0, ("b/y", "long name/0"): 1}
    assert [(row["row"], row["group"]) for row in chart.data["groups"]] == [
        ("a", "g"),
        ("b", "g"),
        ("b", "long name"),
    ]


def test_values_are_printed_and_colours_span_the_data(tmp_path: Path) -> None:
    pytest.importorskip("vl_convert", reason="the extra `report` is not installed")
    chart = heatmap(rank_wordings(scores({"a/x": {"g": [0.912, 0.944, 0.981]}})))
    draw(chart, tmp_path / "map.svg", width=480)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", (tmp_path / "map.svg").read_text(encoding="utf-8"))
    assert {"91.2", "94.4", "98.1"} <= set(texts)
    # Three squares and the two ends and the middle of the legend.
    assert texts.count("91.2") == texts.count("98.1") == 2


def test_many_columns_are_drawn_as_wide_as_their_values_need() -> None:
    few = heatmap(rank_wordings(scores({"a/x": {"g": [0.1] * 5}})))
    many = heatmap(rank_wordings(scores({"a/x": {"g": [0.1] * 40}})))
    assert few.min_width < 390 < 900 < many.min_width
