"""Runs as reports see them."""

from pathlib import Path

from phraseproof.reports.build.run_tables import present_groups
from phraseproof.reports.build.runs import half_precision_notes, model_name, run_scores
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_scores_come_with_names_texts_and_metric(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "a"))
    found = run_scores(run)
    assert (found.model, found.metric.name, found.scoring) == ("org/model", "accuracy", "loglikelihood")
    assert len(found.scores) == 3 * 7
    assert found.text_of(found.scores[0]) is not None
    assert present_groups([found]) == ["observed", "unobserved"]
    assert half_precision_notes({"a": found.half_precision}) == []


def test_an_adapter_is_part_of_the_model_s_name(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "a", adapter="0123456789abcdef"))
    assert model_name(run) == "org/model + adapter 01234567"
