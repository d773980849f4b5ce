"""One chart of runs."""

from pathlib import Path

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import PhraseproofError, UsageError
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.charts.plot import ChartKind, make_chart
from phraseproof.scoring.metric import Metric
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


class Letters(Metric):
    """The number of letters of an answer."""

    name = "length"
    unit = "letters"
    high = 1000.0

    def score(self, outcome: Outcome) -> float:
        return float(len(outcome.text or ""))


@pytest.mark.parametrize("kind", [ChartKind.HEADLINE, ChartKind.STRIP, ChartKind.HEATMAP, ChartKind.SCALING])
def test_scores_that_are_not_in_percent_are_refused(
    tmp_path: Path, kind: ChartKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = open_sources([write_run(tmp_path / "a")])
    monkeypatch.setattr("phraseproof.analysis.grids.metric", lambda _: Letters())
    with pytest.raises(UsageError, match=r"charts show results in percent only .*'length', in letters"):
        make_chart(sources, kind)
