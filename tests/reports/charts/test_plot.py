"""One chart of runs."""

from pathlib import Path

import pytest

from phraseproof.errors import PhraseproofError
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.charts.plot import ChartKind, make_chart
from support.report_runs import write_run


def test_a_category_may_be_chosen(tmp_path: Path) -> None:
    sources = open_sources([write_run(tmp_path / "a")])
    chart = make_chart(sources, ChartKind.STRIP, task="KB", num_fewshot=None, parameters={})
    assert {row["task"] for row in next(iter(chart.data.values()))} == {"kb/colours", "kb/shapes"}
    with pytest.raises(PhraseproofError, match="nowhere"):
        make_chart(sources, ChartKind.STRIP, task="nowhere", num_fewshot=None, parameters={})
