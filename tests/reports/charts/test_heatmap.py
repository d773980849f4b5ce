"""Tasks by wordings."""

from phraseproof.analysis.ranking import rank_wordings
from phraseproof.reports.charts.heatmap import heatmap
from support.table_samples import RUN


def test_every_score_is_a_square() -> None:
    chart = heatmap(rank_wordings(RUN.scores), title="All")
    assert "All" in chart.title
    assert len(next(iter(chart.data.values()))) == len(RUN.scores)
