"""Causes for people at a terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rich.text import Text

from phraseproof.analysis.causes.run import RunCauses, run_causes
from phraseproof.analysis.causes.sentence import cause_sentence
from phraseproof.reports.build.causes import causes_reports
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.causes_text import cause_summary, render
from phraseproof.reports.format.terminal import print_blocks
from support.known_causes import two_tasks


@pytest.mark.parametrize("width", [60, 100])
def test_shares_sentences_and_wordings_fit_the_screen(tmp_path: Path, width: int) -> None:
    reports = causes_reports([two_tasks(tmp_path / "run")])
    text = render(reports, Screen(width), by_wording=True)
    assert max(map(len, text.splitlines())) <= width
    flat = " ".join(text.split())
    prior = reports[0].causes.tasks[0]
    assert f"answers: {cause_sentence(prior)}" in flat
    assert f"{100 * prior.shares['prior'].estimate:.0f} [" in flat
    best = max(range(5), key=lambda row: prior.accuracy[row])
    assert f"{prior.wordings[best]} {100 * prior.accuracy[best]:.1f}" in flat
    assert "n/a" in flat
    assert prior.wordings[best] not in render(reports, Screen(width))


def test_one_task_is_shown_and_many_are_counted(tmp_path: Path) -> None:
    found = run_causes(two_tasks(tmp_path / "run"))
    one = print_blocks(cause_summary(RunCauses(found.tasks[1:]), by_task=False), Screen())
    assert "  The spread is no larger than what 40 examples give by chance." in one
    many = RunCauses(tuple(replace(task, task=f"{task.task} {n}") for task in found.tasks for n in range(3)))
    assert "equal 1" not in print_blocks(cause_summary(many, by_task=False), Screen())
    assert "Of 6 tasks" in print_blocks(cause_summary(many, by_task=False), Screen())
    assert "equal 1" in print_blocks(cause_summary(many, by_task=True), Screen())
    assert cause_summary(RunCauses(), by_task=False) == []


def test_a_run_without_causes_says_why_in_one_line() -> None:
    (heading, note, _) = cause_summary(RunCauses(reason="the run was imported"), by_task=False)
    assert isinstance(heading, Text)
    assert str(note) == "Causes of the spread: not estimated, the run was imported."
