"""Every wording as a dot."""

from phraseproof.analysis.ranking import rank_wordings
from phraseproof.reports.charts.strip import strip
from support.table_samples import RUN


def test_every_wording_of_every_task_is_a_dot() -> None:
    chart = strip(rank_wordings(RUN.scores), current="observed/0")
    first = next(iter(chart.data.values()))
    assert chart.kind == "strip"
    assert len(first) == len(RUN.scores)
    assert {row["task"] for row in first} == {"qa/one", "qa/two", "bc/one"}
