"""What each way of a search among methods gains, with intervals: a forest plot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from phraseproof.reports.build.searches import StoredSearch
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts.chart import Chart
from phraseproof.reports.charts.intervals import Interval, intervals
from phraseproof.scoring.accuracy import METRIC as ACCURACY

OVER: Final[Mapping[str, str]] = {
    "gain": "over as it is",
    "gain over calibrated": "over calibrated",
}
"""What a gain is over, by the name of the statistic."""

SET_TITLES: Final[Mapping[str, str]] = {
    "test": "test",
    "unseen": "tasks that no training saw",
    "check": "tasks that show forgetting",
}


def gains(search: StoredSearch, name: str = "test", *, task: str | None = None) -> Chart:
    """A row for each way, a lane in it for each model that gains are over.

    Args:
        search: with its rows.
        name: of the reported set.
        task: one of its tasks; the mean over tasks by default.
    """
    marks = list(_marks(search, name, task or ""))
    of = task or (search.tasks(name)[0] if len(search.tasks(name)) == 1 else "")
    on = f"{SET_TITLES[name]}, {of}" if of else f"{SET_TITLES[name]}, mean over {len(search.tasks(name))} tasks"
    title = f"Gains with other wordings of the same kind, with 95% intervals: {on}"
    said = "; ".join(
        f"{mark.label}, {mark.group}: {mark.estimate:+.1f} points"
        + ("" if mark.low is None or mark.high is None else f" ({mark.low:+.1f} to {mark.high:+.1f})")
        for mark in marks
    )
    return intervals(
        marks,
        title=printable(title),
        description=printable(f"{said}."),
        metric=ACCURACY,
        differences=True,
        group_order=tuple(OVER.values()),
        whole_labels=True,
    )


def _marks(search: StoredSearch, name: str, task: str) -> Iterator[Interval]:
    for way in search.ways:
        for statistic, over in OVER.items():
            row = search.row(name, task, f"{statistic}: {way.name}")
            if row is not None:
                yield Interval(way.name, over, row.estimate, row.low, row.high)
