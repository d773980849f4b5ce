"""One map of several benchmarks: panels side by side, whose places are the same places."""

from __future__ import annotations

from typing import Any

import pytest

from phraseproof.reports.charts.plot import draw
from phraseproof.reports.charts.tsne_panels import tsne_panels
from phraseproof.store.representations import MapPoint


def point(group: str, x: float, y: float) -> MapPoint:
    return MapPoint("any", 0, "tsne", group, f"{group}/w", "e0", x, y)


def panels(*names: str) -> dict[str, list[MapPoint]]:
    return {name: [point("observed", 0, 0), point("unobserved", n, 8)] for n, name in enumerate(names, start=1)}


def frame_of(row: Any, frames: Any) -> str:
    """The panel in whose frame a dot is drawn."""
    (name,) = (
        frame["panel"]
        for frame in frames
        if frame["_left"] < row["_across"] < frame["_right"] and frame["_bottom"] < row["_up"] < frame["_top"]
    )
    return str(name)


@pytest.mark.parametrize("number", range(1, 8))
def test_every_dot_is_in_the_frame_of_its_panel(number: int) -> None:
    names = [f"benchmark-{place}" for place in range(number)]
    chart = tsne_panels(panels(*names), title="a map")
    rows, frames = chart.data["points"], chart.data["panels"]
    assert [row["panel"] for row in rows] == [name for name in names for _ in range(2)]
    assert [frame_of(row, frames) for row in rows] == [row["panel"] for row in rows]
    # The width and height of the picture hold all frames and no empty row or column.
    across, up = (chart.spec["layer"][0]["encoding"][axis]["scale"]["domain"][1] for axis in "xy")
    assert across * up - number < across
    assert max(frame["_right"] for frame in frames) < across < max(frame["_right"] for frame in frames) + 0.1


def test_the_same_coordinates_are_the_same_place_in_every_panel() -> None:
    chart = tsne_panels(panels("mmlu", "bbl"), title="a map")
    first, second = ([row for row in chart.data["points"] if row["panel"] == name] for name in ("mmlu", "bbl"))
    assert second[0]["_across"] - first[0]["_across"] == pytest.approx(1)
    assert second[0]["_up"] == first[0]["_up"]
    # x is 1 of 0 to 2 in the first panel, and 2 in the second.
    shares = [
        (right["_across"] - left["_across"]) / (second[1]["_across"] - second[0]["_across"])
        for left, right in (first, second)
    ]
    assert shares == pytest.approx([0.5, 1])
    assert "4 dots in 2 panels (mmlu, bbl) of observed, unobserved wordings" in chart.description


def test_the_data_of_the_picture_are_coordinates_and_not_places() -> None:
    (table,) = tsne_panels(panels("mmlu", "bbl"), title="a map").tables.values()
    assert [(row["x"], row["y"]) for row in table] == [(0, 0), (1, 8), (0, 0), (2, 8)]


def test_points_that_are_all_equal_are_in_the_middle(tmp_path: Any) -> None:
    chart = tsne_panels({"mmlu": [point("observed", 3, 3)]}, title="a map")
    (row,) = chart.data["points"]
    assert row["_across"] == pytest.approx(0.5)
    draw(chart, tmp_path / "map.svg", width=480)
    svg = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert ">mmlu<" in svg
