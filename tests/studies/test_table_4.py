"""`table-4`: generated texts, a run per task in the metric of its kind."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from phraseproof.errors import UsageError
from phraseproof.store.queries import load_run
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.study import StudyRequest
from phraseproof.studies.table_4 import TableFour
from support.study_runs import four_tasks

WORDINGS = """
name: {name}
instructions:
  - {{id: a, for: [summarization, translation], ask: "{ask}", layout: "{{{{ text }}}}"}}
  - {{id: b, for: [summarization, translation], ask: "{ask} Now:", layout: "{{{{ text }}}}"}}
"""


def test_each_task_is_in_the_metric_of_its_kind(tmp_path: Path) -> None:
    groups: dict[str, tuple[str, ...]] = {}
    for group in ("observed", "unobserved"):
        file = tmp_path / f"{group}.yaml"
        file.write_text(WORDINGS.format(name=group, ask=f"Write it, {group}."), encoding="utf-8")
        groups[group] = (str(file),)
    request = StudyRequest(
        models=("scripted",),
        tasks=("everyday/notes", "everyday/phrases"),
        instructions=groups,
        limit=2,
        out=tmp_path / "studies",
    )
    exhibit = carry_out(TableFour(), request)
    own, paper = exhibit.tables
    assert [row[:2] for row in own.rows] == [("everyday/notes", "rouge2"), ("everyday/phrases", "bleu")]
    assert own.headings == ("task", "metric", "observed", "unobserved", "difference")
    assert ("Flan-T5-XL", "cnn_dailymail", "rouge2", "41.5 ± 0.1", "32.3 ± 2.4") in paper.rows
    for step in TableFour().plan(request):
        run = load_run(step.folder)
        scores = [row.mean_score for row in run.wording_scores() if row.group == "observed"]
        (found,) = exhibit.results.select(level="task", task=run.cells[0].task, group="observed", statistic="mean")
        assert len(scores) == 2
        assert found.estimate == pytest.approx(100 * fmean(scores))
        cell = next(row[2] for row in own.rows if row[0] == found.task)
        assert cell.startswith(f"{found.estimate:.1f} ± ")


def test_tasks_with_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tasks whose answers are texts"):
        carry_out(TableFour(), StudyRequest(runs=(four_tasks(tmp_path).path,), out=tmp_path / "studies"))
