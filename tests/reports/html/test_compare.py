"""The page of two runs."""

from pathlib import Path

from phraseproof.reports.build.compare import compare
from phraseproof.reports.html.compare import comparison_views, render_comparison
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_the_page_has_the_first_sentence_and_a_chart(tmp_path: Path) -> None:
    found = compare(*(load_run(write_run(tmp_path / name, bonus=bonus)) for name, bonus in (("a", 0.0), ("b", 0.3))))
    (view,) = comparison_views(found, prefix="changes")
    assert view.id.startswith("changes")
    assert view.chart.data
    assert "Better." in render_comparison(found)
