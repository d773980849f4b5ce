"""The gap by model size."""

from phraseproof.analysis.scaling import ScalePoint
from phraseproof.analysis.scaling import scaling as regress
from phraseproof.reports.charts.scaling import scaling


def test_every_task_of_every_model_is_a_dot() -> None:
    gaps = {6: 0.3, 7: 0.2, 8: 0.1}
    points = [ScalePoint(f"m{size}", 10**size, task, gap) for size, gap in gaps.items() for task in "ab"]
    chart = scaling(regress(points))
    assert len(next(iter(chart.data.values()))) == 6
    assert chart.kind == "scaling"
