"""The section on draws of the page."""

from __future__ import annotations

from pathlib import Path

from phraseproof.analysis.facets.run import run_facets
from phraseproof.analysis.facets.sentence import effort_sentence
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.facets import facets_view
from phraseproof.reports.html.report import render_report
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.facet_runs import drawn_run


def test_the_page_has_the_components_and_where_effort_should_go(tmp_path: Path) -> None:
    run = drawn_run(tmp_path, shots=(1,), orders=1)
    found = run_facets(run)
    view = facets_view(found, ACCURACY)
    assert view is not None
    assert [line.sentence for line in view.lines] == [effort_sentence(task) for task in found.tasks]
    page = render_report(open_sources([run.path]))
    assert "Where scores differ: wordings, draws and examples" in page
    for task in found.tasks:
        assert effort_sentence(task).replace("'", "&#39;") in page
    assert "wordings x draws x examples" in page


def test_a_run_without_draws_has_no_section(tmp_path: Path) -> None:
    assert facets_view(run_facets(drawn_run(tmp_path, shots=(0,), draws=1, orders=1)), ACCURACY) is None
