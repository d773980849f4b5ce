"""`table-4`: generated texts, a run per task in the metric of its kind."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from phraseproof.errors import UsageError
from phraseproof.models.scripted import ScriptedModel
from phraseproof.scoring.texts.bertscore import DEFAULT_ENCODER
from phraseproof.store.queries import load_run
from phraseproof.studies.carry_out import carry_out
from phraseproof.studies.study import StudyRequest
from phraseproof.studies.table_4 import TableFour
from support.hub_cache import add_to_cache, use_cache
from support.study_runs import four_tasks
from support.tiny_roberta import write_roberta

WORDINGS = """
name: {name}
instructions:
  - {{id: a, for: [summarization, translation], ask: "{ask}", layout: "{{{{ text }}}}"}}
  - {{id: b, for: [summarization, translation], ask: "{ask} Now:", layout: "{{{{ text }}}}"}}
"""


def request_in(tmp_path: Path) -> StudyRequest:
    groups: dict[str, tuple[str, ...]] = {}
    for group in ("observed", "unobserved"):
        file = tmp_path / f"{group}.yaml"
        file.write_text(WORDINGS.format(name=group, ask=f"Write it, {group}."), encoding="utf-8")
        groups[group] = (str(file),)
    return StudyRequest(
        models=("scripted",),
        tasks=("everyday/notes", "everyday/phrases"),
        instructions=groups,
        limit=2,
        out=tmp_path / "studies",
    )


def test_each_task_is_in_the_metric_of_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = request_in(tmp_path)
    use_cache(monkeypatch, tmp_path / "hub")
    exhibit = carry_out(TableFour(), request)
    own, paper = exhibit.tables
    (note,) = [each for each in exhibit.notes if "bertscore" in each]
    assert note.startswith(
        "Without bertscore, which Table 14 has too: its encoder roberta-large is not in this machine's"
    )
    assert [row[:2] for row in own.rows] == [("everyday/notes", "rouge2"), ("everyday/phrases", "bleu")]
    assert own.headings == ("task", "metric", "observed", "unobserved", "difference")
    assert ("Flan-T5-XL", "cnn_dailymail", "rouge2", "41.5 ± 0.1", "32.3 ± 2.4", "-9.1") in paper.rows
    for step in TableFour().plan(request):
        run = load_run(step.folder)
        scores = [row.mean_score for row in run.wording_scores() if row.group == "observed"]
        (found,) = exhibit.results.select(level="task", task=run.cells[0].task, group="observed", statistic="mean")
        assert len(scores) == 2
        assert found.estimate == pytest.approx(100 * fmean(scores))
        cell = next(row[2] for row in own.rows if row[0] == found.task)
        assert cell.startswith(f"{found.estimate:.1f} ± ")


def test_bertscore_is_a_second_table_where_its_encoder_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bert_score", reason="the extra `bertscore` is not installed")
    request = request_in(tmp_path)
    without = carry_out(TableFour(), request)
    add_to_cache(use_cache(monkeypatch, tmp_path / "hub"), DEFAULT_ENCODER, write_roberta(tmp_path / "roberta"))
    monkeypatch.setattr(ScriptedModel, "generate", no_more)
    exhibit = carry_out(TableFour(), request)
    first, printed, judged, printed_judged = exhibit.tables
    assert (first.rows, printed.rows) == (without.tables[0].rows, without.tables[1].rows)
    assert [row[:2] for row in judged.rows] == [("everyday/notes", "bertscore"), ("everyday/phrases", "bertscore")]
    assert {row[2] for row in printed_judged.rows} == {"bertscore"}
    assert not any("Without bertscore" in note for note in exhibit.notes)
    run = load_run(TableFour().plan(request)[0].folder).select(metric="bertscore")
    scores = [row.mean_score for row in run.wording_scores() if row.group == "unobserved"]
    assert judged.rows[0][3].startswith(f"{100 * fmean(scores):.1f} ± ")


def no_more(*_: object, **__: object) -> list[str]:
    raise AssertionError("the texts are stored")


def test_tasks_with_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tasks whose answers are texts"):
        carry_out(TableFour(), StudyRequest(runs=(four_tasks(tmp_path).path,), out=tmp_path / "studies"))
