"""Estimates with their intervals."""

from phraseproof.reports.charts.intervals import Interval, intervals


def test_every_estimate_is_a_row_and_an_interval_may_be_missing() -> None:
    marks = [Interval("KB", "observed", 50.0, 40.0, 60.0), Interval("Tone", "observed", 70.0)]
    chart = intervals(marks, title="t", description="d")
    first, second = next(iter(chart.data.values()))
    assert 50.0 in first.values()
    assert {40.0, 60.0} <= set(first.values())
    assert 70.0 in second.values()
    assert (second["low"], second["high"]) == (None, None)
    assert (chart.title, chart.description) == ("t", "d")
