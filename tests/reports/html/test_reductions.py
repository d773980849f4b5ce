"""The section on what reduces the spread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from phraseproof.analysis.reductions.run import RunReductions, run_reductions
from phraseproof.reduction.reduce import reduce
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.reductions import reductions_view
from phraseproof.reports.html.report import render_report
from phraseproof.store.queries import load_run
from support.option_grids import simulated, store_values
from support.text_runs import write_text_run


def test_the_page_has_what_reduce_recommends_and_every_number_of_its_table(tmp_path: Path) -> None:
    skilled = simulated(np.random.default_rng(1), wordings=6, examples=100, options=3, skill=2.0, prior=1.5)
    blind = simulated(np.random.default_rng(2), wordings=6, examples=30, options=3, skill=0.0, prior=0.1)
    run = load_run(store_values(tmp_path / "run", replace(blind, task="blind"), replace(skilled, task="skilled")))
    view = reductions_view(run_reductions(run))
    assert view is not None
    expected = reduce(run)
    texts = {task.task: " ".join((found.sentence, *found.remarks)) for task, found in expected.recommendations}
    assert [(line.task, line.text) for line in view.recommended] == [("skilled", texts["skilled"])]
    assert [(line.task, line.text) for line in view.others] == [("blind", texts["blind"])]
    (of_skilled,) = (task for task in expected.tasks if task.task == "skilled")
    table = view.by_task[1]
    assert [row.is_recommended for row in table.rows].count(True) == 1
    for row, way in zip(table.rows, of_skilled.ways, strict=True):
        assert (row.name, row.needs_labels) == (way.way.name, way.way.needs_labels)
        calls, accuracy, gain, _, spread, worst = (cell.text for cell in row.cells)
        shares = (way.accuracy, way.spread, way.worst)
        assert (calls, accuracy, spread, worst) == (str(way.calls), *(f"{100 * each:.1f}" for each in shares))
        assert gain == ("" if row.name == "as it is" else f"{100 * way.gain.estimate:+.1f}".replace("+0.0", "0.0"))
    page = render_report(open_sources([run.path]))
    assert "What reduces the spread" in page
    assert 'data-chart="r0-k0-reductions-chart"' in page
    assert "A way is recommended on 1 of 2 tasks" in page


def test_a_run_without_ways_has_no_section(tmp_path: Path) -> None:
    assert reductions_view(RunReductions(reason="the run has a budget"), "Left out: controls.") is None
    page = render_report(open_sources([write_text_run(tmp_path / "run", "rouge2").path]))
    assert "What reduces the spread</h2>" not in page
    assert (
        "<li>What reduces the spread: not computed, the metric is rouge2, and ways are judged by accuracy.</li>" in page
    )
