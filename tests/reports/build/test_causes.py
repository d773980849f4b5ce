"""Causes as reports show them: one report for each number of demonstrations, and sentences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from phraseproof.analysis.causes.run import RunCauses, run_causes
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.core import Finding
from phraseproof.reports.build.causes import causes_reports, causes_results, main_causes, shown_shares
from support.known_causes import two_tasks


def test_a_report_has_the_causes_of_the_run_and_its_rows_the_sentences_as_notes(tmp_path: Path) -> None:
    run = two_tasks(tmp_path / "run")
    (report,) = causes_reports([run])
    assert (report.model, report.num_fewshot, report.scoring) == ("org/model", 0, "loglikelihood")
    expected = run_causes(run)
    assert [task.shares for task in report.causes.tasks] == [task.shares for task in expected.tasks]
    table = causes_results([report])
    assert table.notes == tuple(f"{task.task}: {cause_sentence(task)}" for task in expected.tasks)
    assert {row.level for row in table} == {"task"}
    assert {row.level for row in causes_results([report], by_wording=True)} == {"task", "wording"}
    assert shown_shares(report.causes.tasks) == ["prior", "skill", "joint", "noise"]


def test_many_tasks_are_counted_by_their_largest_cause(tmp_path: Path) -> None:
    prior, equal = run_causes(two_tasks(tmp_path / "run")).tasks
    assert prior.is_beyond_chance
    assert not equal.is_beyond_chance
    unclear = replace(prior, can_tell=False)
    skill = replace(prior, shares={**prior.shares, "skill": Finding("skill", 2.0, 5, "")})
    found = main_causes(RunCauses((prior, equal, prior, unclear, skill)))
    assert found == (
        "Of 5 tasks, the largest cause of the spread over wordings is how often each option is chosen on 2 tasks, "
        "a cause that is not clear on 1 task, skill on 1 task, chance alone on 1 task."
    )
    assert main_causes(RunCauses()) == ""


def test_an_imported_run_has_a_note_only(tmp_path: Path) -> None:
    run = two_tasks(tmp_path / "run")
    content = {**run.content, "cells": []}
    content["accuracies"] = {
        "x": {"task": "t", "category": "c", "group": "g", "instruction": "a/b", "num_fewshot": 0, "mean_score": 0.5,
              "num_examples": None}
    }  # fmt: skip
    (report,) = causes_reports([replace(run, content=content)])
    table = causes_results([report])
    assert not table.rows
    assert table.notes == ("Causes of the spread: not estimated, the run was imported and holds no answers.",)
