"""The forest plot of a search."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.reports.build.sources import Sources, open_sources
from phraseproof.reports.charts.plot import ChartKind, draw, make_chart
from support.method_searches import LABEL
from support.report_runs import write_run
from support.stored_searches import write_search


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return open_sources([write_search(tmp_path_factory.mktemp("search") / "search")])


@pytest.mark.parametrize("task", [None, "t2"])
def test_every_gain_is_a_mark_with_its_interval(sources: Sources, task: str | None) -> None:
    search = sources.searches[0].found
    chart = make_chart(sources, ChartKind.GAINS, task=task)
    marks = {(row["row"], row["group"]): row for row in chart.data["intervals"]}
    assert len(marks) == 2 * (len(search.ways) - 1)
    for over, statistic in (
        ("over as it is", "gain"),
        ("over calibrated", "gain over calibrated"),
    ):
        row, mark = search.row("test", task or "", f"{statistic}: {LABEL}"), marks[LABEL, over]
        assert row is not None
        assert (mark["percentage_points"], mark["low"], mark["high"]) == (row.estimate, row.low, row.high)
    assert ("as it is", "over as it is") not in marks
    assert (task or "mean over 2 tasks") in chart.title


def test_it_is_drawn(sources: Sources, tmp_path: Path) -> None:
    draw(make_chart(sources, ChartKind.GAINS), tmp_path / "gains.svg", width=480)
    text = (tmp_path / "gains.svg").read_text()
    assert LABEL in text
    assert text.index(">over as it is<") < text.index(">over calibrated<")


def test_other_folders_and_tasks_are_refused(sources: Sources, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no search"):
        make_chart(open_sources([write_run(tmp_path / "run")]), ChartKind.GAINS)
    with pytest.raises(UsageError, match="no task has this name"):
        make_chart(sources, ChartKind.GAINS, task="t9")
