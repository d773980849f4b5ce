"""What a run says, as sentences, in the unit of its metric."""

from __future__ import annotations

import pytest

from phraseproof.analysis.ranking import WordingRanking
from phraseproof.reports.build.run_tables import RunScores, TaskTable, task_tables, wording_tables
from phraseproof.reports.html.sentences import (
    TaskValue,
    between_groups,
    by_wording,
    mean_over_tasks,
    of_current,
    scores_of,
    within_a_task,
)
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.metric import Metric
from support.other_metrics import ERRORS, LETTERS
from support.table_samples import scores


def tables(values: dict[str, dict[str, list[float]]], metric: Metric) -> tuple[TaskTable, tuple[WordingRanking, ...]]:
    run = RunScores("r", "/root/models/smollm2", scores(values), metric=metric)
    (table,), (ranked,) = task_tables([run]), wording_tables([run])
    return table, ranked.rankings


VALUES = {"t/x": {"seen": [10.0, 14.0], "others": [20.0, 26.0]}}


def test_other_metrics_have_their_name_and_unit() -> None:
    table, rankings = tables(VALUES, LETTERS)
    assert by_wording(table, rankings, None) == (
        "On t/x, length differs between the worst and the best wording "
        "by 4 letters in the group seen and 6 letters in the "
        "group others."
    )
    assert between_groups(table, None, ()) == [
        (
            "The mean length of smollm2 is 12 letters with the wordings of seen and 23 letters with those of others: a "
            "difference of +11 letters."
        )
    ]
    assert within_a_task(rankings, LETTERS) == (
        "The choice of wording matters most on t/x: 26 letters with others/1, 10 letters with seen/0."
    )
    assert of_current(rankings, "seen/1", LETTERS) == (
        "The current wording, seen/1, gets 14 letters; the best wording does up to 12 letters better (on t/x)."
    )


def test_the_lowest_is_the_best_where_less_is_better() -> None:
    _, rankings = tables(VALUES, ERRORS)
    assert within_a_task(rankings, ERRORS) == (
        "The choice of wording matters most on t/x: 10 errors with seen/0, 26 errors with others/1."
    )
    assert of_current(rankings, "seen/1", ERRORS).endswith("does up to 4 errors better (on t/x).")
    assert of_current(rankings, "seen/0", ERRORS).endswith("no other wording does better on any task.")


def test_a_model_folder_has_a_short_name_and_accuracy_is_in_percent() -> None:
    table, _ = tables({"t/x": {"mine": [0.5, 0.7]}}, ACCURACY)
    assert between_groups(table, None, ()) == [
        "smollm2 answers 60.0% right, averaged over 2 wordings (Std 14.1 points)."
    ]


def test_means_are_over_tasks_then_categories() -> None:
    assert mean_over_tasks([TaskValue("a", 1.0), TaskValue("a", 3.0), TaskValue("b", 6.0)]) == pytest.approx(4.0)
    _, rankings = tables(VALUES, LETTERS)
    assert [each.value for each in scores_of(rankings, "seen/0")] == [10.0]
    assert scores_of(rankings, "nowhere") == []
