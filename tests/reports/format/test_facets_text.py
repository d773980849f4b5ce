"""Components of variance for people at a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.analysis.facets.run import RunFacets, run_facets
from phraseproof.analysis.facets.sentence import effort_counts, effort_sentence
from phraseproof.reports.build.facets import facets_reports
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.facets_text import facet_summary, render
from phraseproof.reports.format.terminal import print_blocks
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from support.facet_runs import drawn_run


@pytest.mark.parametrize("width", [72, 100])
def test_tables_and_sentences_fit_the_screen(tmp_path: Path, width: int) -> None:
    reports = facets_reports([drawn_run(tmp_path)])
    text = render(reports, Screen(width))
    assert max(map(len, text.splitlines())) <= width
    flat = " ".join(text.split())
    for task in reports[0].facets.tasks:
        assert f"{task.design.num_fewshot}-shot: {effort_sentence(task)}" in flat
    assert "scores are means over 2 orders of options and 3 draws of demonstrations where there are any" in flat
    assert "left out: 1 of 4 wordings" in flat


def test_an_analysis_shows_few_tasks_and_counts_many(tmp_path: Path) -> None:
    found = run_facets(drawn_run(tmp_path, shots=(1,), orders=1))
    assert "Std over draws" in print_blocks(facet_summary(found, ACCURACY, by_task=False), Screen())
    many = RunFacets(found.tasks * 2)
    counted = " ".join(print_blocks(facet_summary(many, ACCURACY, by_task=False), Screen()).split())
    assert f"{effort_counts(many)} --by-task" in counted
    assert "Std over draws" not in counted
    one = run_facets(drawn_run(tmp_path / "one", shots=(0,), orders=1))
    assert facet_summary(one, ACCURACY, by_task=True) == []
