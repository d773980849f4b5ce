"""Confusion matrices on the page, against scikit-learn's."""

from __future__ import annotations

from pathlib import Path

from sklearn.metrics import confusion_matrix

from phraseproof.reports.build.answers import answers_of
from phraseproof.reports.build.sources import open_sources
from phraseproof.reports.html.answers import task_matrices
from phraseproof.reports.html.report import render_report
from phraseproof.store.queries import load_run
from support.report_runs import write_run


def test_matrices_are_those_of_scikit_learn(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path))
    found = task_matrices(answers_of(run), "unobserved/w1")
    assert {task.task for task in found} == {cell.task for cell in run.cells}
    for task in found:
        assert "current" in {word for matrix in task.matrices for word in matrix.role.split(" and ")}
        for matrix in task.matrices:
            rows = [row for row in run.outcomes().to_pylist() if row["task"] == task.task]
            rows = [row for row in rows if row["instruction"] == matrix.wording]
            right = [row["options"][row["target"]] for row in rows]
            chosen = [row["options"][row["predicted"]] for row in rows]
            wanted = confusion_matrix(right, chosen, labels=list(task.classes))
            assert [list(row.counts) for row in matrix.rows] == wanted.tolist()


def test_best_and_worst_are_the_ends_of_the_task(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path))
    for task in task_matrices(answers_of(run)):
        scores = [score.mean_score for score in run.wording_scores() if score.task == task.task]
        roles = {word: matrix.accuracy for matrix in task.matrices for word in matrix.role.split(" and ")}
        assert abs(roles["best"] - max(scores)) < 1e-12
        assert abs(roles["worst"] - min(scores)) < 1e-12


def test_the_page_shows_them(tmp_path: Path) -> None:
    page = render_report(open_sources([write_run(tmp_path)]))
    assert page.count('data-table="answers"') == sum(
        len(task.matrices) for task in task_matrices(answers_of(load_run(tmp_path)))
    )
