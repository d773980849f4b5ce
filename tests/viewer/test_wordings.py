"""Wordings with means, places and intervals, and the tasks of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from phraseproof.scoring.registry import metric
from phraseproof.store.queries import load_run
from phraseproof.viewer.index import Moments, index_run
from phraseproof.viewer.state import PageState
from phraseproof.viewer.wordings import groups_of, interval_of, kinds_of, tasks_of, with_task, wordings_of
from support.run_files import edit_run_file
from support.text_runs import write_text_run
from support.viewed_runs import RIGHT, opened, write_options_run

TASK = PageState(task="t", shots=0)


def test_means_places_and_order(tmp_path: Path) -> None:
    page = wordings_of(opened(write_options_run(tmp_path / "run")), TASK)
    found = [(line.place, line.column.instruction, line.mean, line.num_examples) for line in page.rows]
    assert found == [(1, "w/a", 0.75, 4), (2, "w/b", 0.5, 4), (2, "w/c", 0.5, 4)]


def test_intervals_of_right_and_wrong_answers_are_wilsons(tmp_path: Path) -> None:
    page = wordings_of(opened(write_options_run(tmp_path / "run")), TASK)
    expected = stats.binomtest(3, 4).proportion_ci(method="wilson")
    assert (page.rows[0].low, page.rows[0].high) == pytest.approx((expected.low, expected.high))


def test_intervals_of_shares_have_the_variance_of_the_scores() -> None:
    # Scores 1, 0.5, 0.5, 0: mean 0.5, variance 1/6. As many right and wrong answers as have 0.25 / n = 1/24: n = 6.
    low, high = interval_of(Moments(4, 0.5, 1 / 6, is_binary=False), metric("accuracy")) or (0, 0)
    expected = stats.binomtest(3, 6).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_one_score_between_0_and_1_has_no_interval() -> None:
    assert interval_of(Moments(1, 0.5, None, is_binary=False), metric("accuracy")) is None
    low, high = interval_of(Moments(4, 1.0, 0.0, is_binary=True), metric("accuracy")) or (0, 0)
    assert (low, high) == pytest.approx((0.5101, 1.0), abs=1e-4)  # 4 / (4 + 1.96**2)


def test_groups_kinds_and_texts_are_filtered(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", texts={"w/b": "Say {{ question }} loudly"}))

    def shown(state: PageState) -> list[str]:
        return [line.column.instruction for line in wordings_of(index, state).rows]

    assert shown(TASK.having(group="unobserved")) == ["w/b", "w/c"]
    assert shown(TASK.having(kind="negated")) == ["w/c"]
    assert shown(TASK.having(q="LOUDLY")) == ["w/b"]
    assert shown(TASK.having(q="' OR 1=1 --")) == []
    assert groups_of(index) == ["observed", "unobserved"]
    assert kinds_of(index) == ["negated"]


def test_tasks(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", more={"u": {"w/a": (0, 0)}}))
    found = [
        (line.task, line.num_wordings, line.mean, line.lowest, line.highest)
        for line in tasks_of(index, PageState()).rows
    ]
    assert found == [("t", 3, pytest.approx(1.75 / 3), 0.5, 0.75), ("u", 1, 0.0, 0.0, 0.0)]


def test_the_first_task_is_shown_where_none_or_an_unknown_one_is_named(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", more={"u": {"w/a": (0, 0)}}))
    assert with_task(index, PageState()) == PageState(task="t", shots=0)
    assert with_task(index, PageState(task="none", shots=7)) == PageState(task="t", shots=0)
    assert with_task(index, PageState(task="u")).task == "u"


def test_corpus_metrics_have_their_value_and_no_interval(tmp_path: Path) -> None:
    run = write_text_run(tmp_path / "run", tasks=("news",), wordings=2, examples=6)
    page = wordings_of(index_run(load_run(run.path)), PageState(task="news", shots=0))
    expected = {row["instruction"]: row["mean_score"] for row in run.mean_scores("instruction")}
    assert {line.column.instruction: line.mean for line in page.rows} == expected
    assert {line.low for line in page.rows} == {None}


def test_published_accuracies(tmp_path: Path) -> None:
    run = write_options_run(tmp_path / "run", unfinished=list(RIGHT))
    row = {"task": "t", "category": "c", "group": "g", "instruction": "w/a", "num_fewshot": 0, "mean_score": 0.5,
           "num_examples": None}  # fmt: skip
    edit_run_file(run, lambda content: content.update(accuracies={"one": row}, cells=[], groups={}))
    index = index_run(load_run(run))
    (line,) = wordings_of(index, with_task(index, PageState())).rows
    assert (line.place, line.mean, line.low, line.num_examples) == (1, 0.5, None, None)
    (task,) = tasks_of(index, PageState()).rows
    assert (task.task, task.mean, task.num_examples) == ("t", 0.5, None)
