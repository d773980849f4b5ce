"""A map of representations: a dot for each wording and example of one task."""

from __future__ import annotations

from phraseproof.reports.charts.tsne import tsne
from phraseproof.store.representations import MapPoint, RepresentationMap

POINTS = tuple(
    MapPoint(task, 0, method, group, f"{group}/w", example, float(n), -float(n))
    for task in ("t/x", "t/y")
    for method in ("tsne", "pca")
    for group in ("observed", "unobserved")
    for n, example in enumerate(("e0", "e1"))
)
FOUND = RepresentationMap("observed", POINTS, (), (), None, None, "none", {})


def test_a_map_is_of_one_task_and_one_method() -> None:
    chart = tsne(FOUND, "t/x", num_fewshot=0)
    assert chart is not None
    rows = chart.data["points"]
    assert [(row["wording"], row["example"], row["x"], row["y"]) for row in rows] == [
        ("observed/w", "e0", 0.0, 0.0),
        ("observed/w", "e1", 1.0, -1.0),
        ("unobserved/w", "e0", 0.0, 0.0),
        ("unobserved/w", "e1", 1.0, -1.0),
    ]
    assert "4 dots: 2 wordings" in chart.description


def test_a_task_without_coordinates_has_no_map() -> None:
    assert tsne(FOUND, "t/z", num_fewshot=0) is None
    assert tsne(FOUND, "t/x", num_fewshot=5) is None
