"""The ranked list of wordings."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.analysis.ranking import rank_wordings
from phraseproof.reports.html.wordings import category_rankings, rendered_examples
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import load_run
from support.other_metrics import ERRORS, LETTERS
from support.report_runs import write_run
from support.table_samples import scores


def test_a_ladder_ranks_a_category_s_wordings_by_their_mean_over_its_tasks() -> None:
    made = scores(
        {"qa/one": {"a": [0.5, 0.9], "b": [0.6]}, "qa/two": {"a": [0.7, 0.9], "b": [0.2]}, "bc/x": {"a": [0.1]}}
    )
    texts = {("qa/one", "a/1"): "Say.", ("qa/two", "a/1"): "Say."}
    qa, bc = category_rankings(rank_wordings(made), ACCURACY, texts, {("qa/two", "a/1"): "Say: x"})
    assert (qa.lines[0].text, qa.lines[0].example) == ("Say.", "Say: x")
    assert [(line.place, line.name) for line in qa.lines] == [(1, "a/1"), (2, "a/0"), (3, "b/0")]
    assert [line.mean for line in qa.lines] == pytest.approx([0.9, 0.6, 0.4])
    assert qa.lines[2].lowest == ("qa/two", 0.2)
    assert qa.is_even
    assert len(qa.by_task) == 4
    assert bc.by_task == ()


def test_equals_share_a_place() -> None:
    (ranked,) = category_rankings(rank_wordings(scores({"t/x": {"a": [0.5, 0.7, 0.7]}})), ACCURACY, {}, {})
    assert [line.place for line in ranked.lines] == [1, 1, 3]


def test_wordings_that_met_different_tasks_are_marked_as_uneven() -> None:
    (ranked,) = category_rankings(
        rank_wordings(scores({"t/x": {"a": [0.5]}, "t/y": {"a": [0.5, 0.7]}})), ACCURACY, {}, {}
    )
    assert not ranked.is_even


def test_one_name_with_two_texts_is_two_wordings() -> None:
    texts = {("t/x", "a/0"): "For x.", ("t/y", "a/0"): "For y."}
    (ranked,) = category_rankings(
        rank_wordings(scores({"t/x": {"a": [0.5]}, "t/y": {"a": [0.7]}})), ACCURACY, texts, {}
    )
    assert [(line.text, line.mean) for line in ranked.lines] == [("For y.", 0.7), ("For x.", 0.5)]


def test_logged_prompts_are_the_examples(tmp_path: Path) -> None:
    run = load_run(write_run(tmp_path / "run", tasks={"t/x": "T"}, groups={"a": 1}, prompts=True, examples=3))
    assert rendered_examples(run, 0) == {("t/x", "a/w0"): "The prompt of example 0.\n"}
    assert rendered_examples(run, 1) == {}


def test_bars_are_shares_of_the_longest_and_the_first_place_is_the_best() -> None:
    made = scores({"t/x": {"a": [10.0, 40.0]}, "t/y": {"a": [30.0, 20.0]}})
    (more,) = category_rankings(rank_wordings(made), LETTERS, {}, {})
    assert [(line.name, line.mean, line.bar, line.lowest) for line in more.lines] == [
        ("a/1", 30.0, 1.0, ("t/y", 20.0)),
        ("a/0", 20.0, pytest.approx(2 / 3), ("t/x", 10.0)),
    ]
    (less,) = category_rankings(rank_wordings(made, higher_is_better=False), ERRORS, {}, {})
    assert [(line.name, line.place, line.lowest) for line in less.lines] == [
        ("a/0", 1, ("t/y", 30.0)),
        ("a/1", 2, ("t/x", 40.0)),
    ]
    below = scores({"t/x": {"a": [-10.0, 40.0]}})
    (signed,) = category_rankings(rank_wordings(below), LETTERS, {}, {})
    assert [line.bar for line in signed.lines] == [None, None]


def test_of_very_many_wordings_the_best_and_the_worst_are_listed() -> None:
    made = scores({"t/x": {"a": [n / 1000 for n in range(450)]}, "t/y": {"a": [n / 1000 for n in range(450)]}})
    (ranked,) = category_rankings(rank_wordings(made), ACCURACY, {}, {})
    assert (ranked.num_wordings, len(ranked.lines), ranked.num_best, ranked.by_task) == (450, 400, 200, ())
    assert [ranked.lines[place].place for place in (0, 199, 200, 399)] == [1, 200, 251, 450]
    (fewer,) = category_rankings(rank_wordings(scores({"t/x": {"a": [0.5, 0.7]}})), ACCURACY, {}, {})
    assert (fewer.num_wordings, len(fewer.lines), fewer.num_best) == (2, 2, 0)
