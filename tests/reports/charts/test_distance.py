"""Distances of representations as a picture: every wording, the line, and where an adapter moved them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.reports.charts.distance import distance
from phraseproof.store.representations import Regression, RepresentationMap, WordingDistance


def far(wording: str, at: float, change: float | None, before: float | None = None) -> WordingDistance:
    return WordingDistance("t/x", "T", 0, "unobserved", wording, at, before, 0.5, change)


LINE = Regression(slope=-2.0, intercept=1.0, slope_low=-3.0, slope_high=-1.0, p_value=0.01, r_squared=0.5, n=3)
FOUND = RepresentationMap(
    reference="observed",
    points=(),
    distances=(far("c/a", 1.0, -0.01), far("c/b", 4.0, -0.07), far("c/no-accuracy", 2.0, None)),
    tasks=(),
    regression=LINE,
    task_regression=None,
    regression_reason=None,
    settings={},
)


def test_each_wording_of_known_accuracy_is_a_dot_and_the_line_is_the_regression() -> None:
    chart = distance(FOUND)
    assert chart is not None
    rows = chart.data["distances"]
    found = [(row["wording"], row["distance"], row["change_percentage_points"]) for row in rows]
    assert found == [("c/a", 1.0, pytest.approx(-1)), ("c/b", 4.0, pytest.approx(-7))]
    ends = [(end["distance"], end["change_percentage_points"]) for end in chart.data["line"]]
    assert ends == [(1.0, -1.0), (4.0, -7.0)], "1 - 2 x"
    assert "-2 points a unit of distance" in chart.description
    assert "adapter" not in chart.description
    assert all("distance_before" not in row for row in rows)


def test_without_accuracies_there_is_no_picture_and_without_a_line_its_reason() -> None:
    assert distance(replace(FOUND, distances=FOUND.distances[2:])) is None
    chart = distance(replace(FOUND, regression=None, regression_reason="Too few wordings."))
    assert chart is not None
    assert chart.data["line"] == []
    assert "Too few wordings." in chart.description


def test_where_an_adapter_moved_them_both_places_are_drawn() -> None:
    moved = (far("c/a", 1.0, -0.01, before=2.5), far("c/b", 4.0, -0.07, before=3.0))
    chart = distance(replace(FOUND, distances=moved))
    assert chart is not None
    assert [row["distance_before"] for row in chart.data["distances"]] == [2.5, 3.0]
    assert "1 of 2 are nearer with it" in chart.description
    marks = [(layer["mark"]["type"], layer["encoding"]["x"]["field"]) for layer in chart.spec["layer"]]
    assert marks == [
        ("line", "distance"),
        ("rule", "distance_before"),
        ("point", "distance_before"),
        ("point", "distance"),
    ]
