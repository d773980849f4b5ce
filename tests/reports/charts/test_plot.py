"""One chart of runs."""

from pathlib import Path

import pytest

from phraseproof.errors import PhraseproofError
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.charts.plot import ChartKind, make_chart
from support.other_metrics import LETTERS
from support.report_runs import write_run


def test_a_category_may_be_chosen(tmp_path: Path) -> None:
    sources = open_sources([write_run(tmp_path / "a")])
    chart = make_chart(sources, ChartKind.STRIP, task="KB", num_fewshot=None, parameters={})
    assert {row["task"] for row in next(iter(chart.data.values()))} == {"kb/colours", "kb/shapes"}
    with pytest.raises(PhraseproofError, match="nowhere"):
        make_chart(sources, ChartKind.STRIP, task="nowhere", num_fewshot=None, parameters={})


def test_charts_of_accuracy_have_chance(tmp_path: Path) -> None:
    sources = open_sources([write_run(tmp_path / "a")])  # every example has two options
    strip = make_chart(sources, ChartKind.STRIP)
    assert {row["row"]: row["chance_percent"] for row in strip.data["chance"]} == {
        "kb/colours": 50.0,
        "kb/shapes": 50.0,
        "tone/polite": 50.0,
    }
    headline = make_chart(sources, ChartKind.HEADLINE)
    assert {row["row"]: row["chance_percent"] for row in headline.data["chance"]} == {
        "Overall": 50.0,
        "KB": 50.0,
        "Tone": 50.0,
    }


@pytest.mark.parametrize("kind", [ChartKind.HEADLINE, ChartKind.STRIP, ChartKind.HEATMAP])
def test_scores_are_drawn_in_the_metric_s_unit(
    tmp_path: Path, kind: ChartKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = write_run(tmp_path / "a")
    monkeypatch.setattr("phraseproof.analysis.grids.metric", lambda _: LETTERS)
    chart = make_chart(open_sources([run]), kind)
    assert "length (letters)" in str(chart.spec)
    assert "%" not in str(chart.spec) + chart.description
    values = {row.get("score", row.get("estimate")) for row in next(iter(chart.data.values()))}
    assert max(values) <= 1, "the stored scores, not times 100"
