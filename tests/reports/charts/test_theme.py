"""Colours and fonts of charts."""

from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.theme import config, whole_spec


def test_dark_light_and_print_differ() -> None:
    assert config() != config(dark=True)
    assert config(print_=True) != config()


def test_a_whole_specification_holds_data_and_theme() -> None:
    chart = Chart("kind", "title", "description", {"mark": "point"}, {"rows": [{"a": 1.0, "b": 2.0}]})
    spec = whole_spec(chart, width=300, theme=config())
    assert spec["config"] == config()
    assert spec["datasets"]["rows"] == [{"a": 1.0, "b": 2.0}]
