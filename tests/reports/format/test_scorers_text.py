"""Scorers that were compared, for people at a terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.analysis.causes.run_scorers import NOT_COMPARED, RunScorers, run_scorers
from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.reports.build.run_tables import Screen
from phraseproof.reports.format.scorers_text import scorer_blocks, scorer_summary
from phraseproof.reports.format.terminal import print_blocks
from support.scorer_grids import one_task


@pytest.mark.parametrize("width", [60, 100])
def test_a_row_for_each_scorer_and_a_sentence_fit_the_screen(tmp_path: Path, width: int) -> None:
    found = run_scorers(one_task(tmp_path / "run"))
    (task,) = found.tasks
    text = print_blocks(scorer_blocks(found), Screen(width))
    assert max(map(len, text.splitlines())) <= width
    flat = " ".join(text.split())
    assert scorer_sentence(task) in flat
    assert f"{100 * task.common.estimate:.0f} [" in flat
    assert f"{task.correlations['generate', 'loglikelihood'].estimate:.2f}" in flat
    for scorer, std in zip(task.scorers, task.stds, strict=True):
        assert f"{scorer} {100 * std:.1f}" in flat


def test_shares_that_chance_explains_are_not_shown(tmp_path: Path) -> None:
    (task,) = run_scorers(one_task(tmp_path / "run")).tasks
    none = replace(task, task="none", p_values=(0.5, 0.5), correlations={})
    text = print_blocks(scorer_blocks(RunScorers((task, none))), Screen())
    (line,) = [line for line in text.splitlines() if line.startswith("none ")]
    assert line.split() == ["none", "n/a", "n/a", "n/a"]
    assert "alone" not in print_blocks(scorer_blocks(RunScorers((none,))), Screen())


def test_several_correlations_are_a_range(tmp_path: Path) -> None:
    (task,) = run_scorers(one_task(tmp_path / "run")).tasks
    (one,) = task.correlations.values()
    pairs = {("a", "b"): replace(one, estimate=0.25), ("a", "c"): replace(one, estimate=0.75), ("b", "c"): one}
    assert "0.25 to" in print_blocks(scorer_blocks(RunScorers((replace(task, correlations=pairs),))), Screen())


def test_an_analysis_of_many_tasks_names_the_command_that_shows_them(tmp_path: Path) -> None:
    (task,) = run_scorers(one_task(tmp_path / "run")).tasks
    many = RunScorers(tuple(replace(task, task=f"task {number}") for number in range(5)))
    assert "table --causes" in print_blocks(scorer_summary(many, by_task=False), Screen())
    assert "task 4" not in print_blocks(scorer_summary(many, by_task=False), Screen())
    assert "task 4" in print_blocks(scorer_summary(many, by_task=True), Screen())
    assert scorer_summary(NOT_COMPARED, by_task=False) == []
    reason = print_blocks(scorer_blocks(RunScorers(reason="the run has a budget")), Screen())
    assert "Scorings: not compared, the run has a budget." in reason
