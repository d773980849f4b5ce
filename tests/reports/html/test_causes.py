"""The section on causes of the page."""

from __future__ import annotations

from pathlib import Path

from phraseproof.analysis.causes.run import RunCauses, run_causes
from phraseproof.analysis.causes.run_scorers import run_scorers
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.causes import causes_view
from phraseproof.reports.html.report import render_report
from support.known_causes import two_tasks
from support.scorer_grids import one_task
from support.text_runs import write_text_run


def test_tasks_with_a_spread_beyond_chance_come_first_and_the_page_has_their_sentences(tmp_path: Path) -> None:
    run = two_tasks(tmp_path / "run")
    prior, equal = run_causes(run).tasks
    view = causes_view(RunCauses((equal, prior)))
    assert view is not None
    assert [(line.task, line.sentence) for line in view.lines] == [
        ("answers", cause_sentence(prior)),
        ("equal", cause_sentence(equal)),
    ]
    page = render_report(open_sources([run.path]))
    assert "Why accuracy differs between wordings" in page
    assert cause_sentence(equal) in page
    assert 'data-chart="r0-k0-causes-chart"' in page


def test_a_run_in_another_metric_has_no_section_and_says_why(tmp_path: Path) -> None:
    assert causes_view(RunCauses(reason="the run has a budget")) is None
    page = render_report(open_sources([write_text_run(tmp_path / "run", "rouge2").path]))
    assert "accuracy differs" not in page
    section = page.partition("What is left out, and why</h2>")[2].partition("</section>")[0]
    assert (
        "<li>Causes of the spread: not estimated, the metric is rouge2, and causes are those of accuracy.</li>"
        in section
    )


def test_a_page_says_what_the_scorers_have_in_common(tmp_path: Path) -> None:
    run = one_task(tmp_path / "run")
    (task,) = run_scorers(run).tasks
    page = render_report(open_sources([run.path]))
    assert page.count(scorer_sentence(task)) == 1
    assert "Under every scoring" in page
