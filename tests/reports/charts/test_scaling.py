"""The gap by model size."""

from phraseproof.analysis.scaling import ScalePoint
from phraseproof.analysis.scaling import scaling as regress
from phraseproof.reports.charts.scaling import scaling
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.other_metrics import LETTERS


def test_every_task_of_every_model_is_a_dot() -> None:
    gaps = {6: 0.3, 7: 0.2, 8: 0.1}
    points = [ScalePoint(f"m{size}", 10**size, task, gap) for size, gap in gaps.items() for task in "ab"]
    chart = scaling(regress(points), ACCURACY)
    assert len(next(iter(chart.data.values()))) == 6
    assert chart.kind == "scaling"


def test_gaps_are_in_the_metric_s_unit_and_models_have_short_names() -> None:
    points = [
        ScalePoint(f"/models/of/mine/m{size}", 10**size, "t", gap) for size, gap in {6: 3.0, 7: 2.0, 8: 1.5}.items()
    ]
    chart = scaling(regress(points), LETTERS)
    assert [(row["model"], row["gap"]) for row in chart.data["tasks"]] == [("m6", 3.0), ("m7", 2.0), ("m8", 1.5)]
    assert chart.spec["layer"][0]["encoding"]["y"]["axis"]["title"] == "gap between groups (letters)"
    assert "changes by -0.75 letters for ten times the parameters" in chart.description


def test_models_that_share_a_short_name_keep_their_paths() -> None:
    points = [ScalePoint(f"/models/{size}/m", 10**size, "t", 1.0 / size) for size in (6, 7, 8)]
    chart = scaling(regress(points), ACCURACY)
    assert [row["model"] for row in chart.data["tasks"]] == ["/models/6/m", "/models/7/m", "/models/8/m"]
