import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.analysis.ranking import Mark, rank_wordings
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.store.queries import WordingScore


def scores(values: list[float], *, task: str = "t", category: str = "c", group: str = "g", shots: int = 0):
    return [WordingScore(task, category, group, f"w/{number}", shots, value, 10) for number, value in enumerate(values)]


def ranked(values: list[float]):
    (ranking,) = rank_wordings(scores(values))
    return [(wording.score.instruction, wording.mark) for wording in ranking.wordings]


def test_best_first_and_both_ends_marked():
    assert ranked([0.2, 0.9, 0.5]) == [("w/1", Mark.BEST), ("w/2", None), ("w/0", Mark.WORST)]


def test_equals_share_a_mark():
    assert ranked([0.2, 0.9, 0.9]) == [("w/1", Mark.BEST), ("w/2", Mark.BEST), ("w/0", Mark.WORST)]


@pytest.mark.parametrize("values", [[0.5], [0.5, 0.5]])
def test_nothing_stands_out_where_all_score_the_same(values: list[float]):
    assert [mark for _, mark in ranked(values)] == [None] * len(values)


def test_one_ranking_for_each_shots_task_and_group():
    everything = [
        *scores([0.1], task="b", category="y", shots=3),
        *scores([0.1], task="a", category="x"),
        *scores([0.1], task="b", category="y"),
        *scores([0.1], task="d", category="x", group="h"),
        *scores([0.1], task="a", category="x", group="h"),
    ]
    found = [(ranking.num_fewshot, ranking.task, ranking.group) for ranking in rank_wordings(everything)]
    assert found == [(0, "b", "g"), (0, "a", "g"), (0, "a", "h"), (0, "d", "h"), (3, "b", "g")]
    first = rank_wordings(everything, group_order=["h"])
    assert [ranking.group for ranking in first if ranking.task == "a"] == ["h", "g"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_every_wording_appears_once_in_descending_order(values: list[float]):
    (ranking,) = rank_wordings(scores(values))
    found = [wording.score.mean_score for wording in ranking.wordings]
    assert found == sorted(values, reverse=True)


def test_refusals_are_those_of_the_summary():
    with pytest.raises(NotEnoughDataError):
        rank_wordings([])
    with pytest.raises(RunError):
        rank_wordings(scores([0.1]) * 2)
    with pytest.raises(UsageError):
        rank_wordings(scores([0.1]), group_order=["nope"])
