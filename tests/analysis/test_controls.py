from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from phraseproof.analysis.controls import Conclusion, ControlResult, results_of_controls
from phraseproof.analysis.grids import TaskGrid
from phraseproof.core import Relation
from phraseproof.errors import UsageError
from support.grid_samples import draw, grid, means_only
from support.other_metrics import ERRORS, LETTERS

RELATIONS = {"right": Relation.OBSERVED, "negated": Relation.NEGATED, "random": Relation.NONSENSICAL}
GROUPS = ["right"] * 10 + ["negated"] * 10


def task(seed: int, centre: float, *, name: str = "t", wordings_differ: float = 0.05) -> TaskGrid:
    """400 examples; log-odds 1 with the right wordings and `centre` with the negated ones."""
    scores = [
        draw(np.random.default_rng(seed), 10, 400, centre=odds, between_wordings=wordings_differ, interaction=0.0)
        for odds in (1.0, centre)
    ]
    return grid(np.concatenate(scores), groups=GROUPS, task=name, own_wordings=True)


def only(*grids: TaskGrid, margin: float = 0.05) -> ControlResult:
    return results_of_controls(grids, RELATIONS, margin=margin)[0]


def test_the_words():
    same, worse, better = (only(task(0, centre)) for centre in (1.0, -1.0, 2.0))
    assert same.word is Conclusion.NOT_READING
    assert better.word is Conclusion.NOT_READING
    assert worse.word is Conclusion.READING
    assert worse.finding is not None
    assert worse.finding.estimate < -0.2
    assert (same.group, same.reference, same.relation) == ("negated", "right", Relation.NEGATED)
    little = only(means_only([0.5, 0.7, 0.6, 0.3, 0.6], groups=["right", "right", "right", "negated", "negated"]))
    assert little.word is Conclusion.UNCLEAR


def test_a_smaller_margin_asks_for_more():
    words = [only(task(0, 0.93), margin=margin).word for margin in (0.001, 0.2)]
    assert words == [Conclusion.UNCLEAR, Conclusion.NOT_READING] or words[0] is Conclusion.READING


def test_all_tasks_first_then_each():
    found = results_of_controls([task(0, -1.0), task(1, 1.0, name="u")], RELATIONS, margin=0.05)
    assert [result.task for result in found] == [None, "t", "u"]
    assert [result.word for result in found][1:] == [Conclusion.READING, Conclusion.NOT_READING]


def test_one_task_has_one_result_under_its_name():
    assert [result.task for result in results_of_controls([task(0, 1.0)], RELATIONS)] == ["t"]


def test_the_closest_wordings_are_what_controls_are_held_against():
    scores = np.random.default_rng(0).integers(0, 2, (6, 50))
    groups = ["observed", "closest", "negated"] * 2
    relations = {name: Relation(name) for name in groups}
    (result,) = results_of_controls([grid(scores, groups=groups)], relations)
    assert result.reference == "closest"


def three_groups(seed: int, name: str) -> TaskGrid:
    """Closest, incorrect and unobserved wordings, the middle ones between the others."""
    scores = [
        draw(np.random.default_rng([seed, place]), 5, 200, centre=odds, between_wordings=0.05, interaction=0.0)
        for place, odds in enumerate((1.5, 0.7, 0.5))
    ]
    return grid(np.concatenate(scores), groups=np.repeat(["closest", "incorrect", "unobserved"], 5).tolist(), task=name)


def test_incorrect_wordings_are_held_against_collected_ones_as_well():
    """The paper's Table 9: its headline is incorrect against collected, which are the unobserved wordings."""
    groups = ("closest", "incorrect", "unobserved")
    relations = {name: Relation(name) for name in groups}
    grids = [three_groups(number, f"t{number}") for number in range(4)]
    found = results_of_controls(grids, relations)
    together = [each for each in found if each.task is None]
    assert [(each.group, each.reference) for each in together] == [
        ("incorrect", "closest"),
        ("incorrect", "unobserved"),
    ]
    means = {group: [float(of.means[of.rows(group)].mean()) for of in grids] for group in groups}
    for each in together:
        assert each.over_tasks is not None
        assert each.over_tasks.p_value == pytest.approx(
            stats.ttest_rel(means["incorrect"], means[each.reference]).pvalue
        )
        assert each.over_tasks.estimate == pytest.approx(np.mean(means["incorrect"]) - np.mean(means[each.reference]))
        assert each.finding is not None
        assert each.finding.estimate == pytest.approx(each.over_tasks.estimate)
    assert all(each.over_tasks is None for each in found if each.task is not None)
    without_closest = {name: word for name, word in relations.items() if name != "closest"}
    assert {each.reference for each in results_of_controls(grids, without_closest)} == {"unobserved"}


def guess(of: TaskGrid, chance: float) -> TaskGrid:
    return replace(of, chance=chance)


def test_where_correct_wordings_do_no_better_than_guessing_nothing_is_told():
    same, worse = task(0, 1.0), task(0, -1.0)
    right = float(same.means[same.rows("right")].mean())
    for control in (same, worse):
        guessing, knowing = only(guess(control, right)), only(guess(control, right - 0.2))
        assert guessing.word is Conclusion.AT_CHANCE
        assert f"chance {100 * right:.1f}%" in guessing.reason
        assert guessing.finding == knowing.finding
        assert knowing.word is only(control).word


def test_chance_over_tasks_weighs_as_scores_do_and_must_be_known_of_all():
    first, second = task(0, 1.0), task(1, 1.0, name="u")
    low, high = guess(first, 0.05), guess(second, 0.95)
    assert [result.word for result in results_of_controls([low, high], RELATIONS, margin=0.05)] == [
        Conclusion.NOT_READING,
        Conclusion.NOT_READING,
        Conclusion.AT_CHANCE,
    ]
    assert results_of_controls([guess(first, 0.95), guess(second, 0.95)], RELATIONS)[0].word is Conclusion.AT_CHANCE
    assert results_of_controls([first, high], RELATIONS, margin=0.05)[0].word is Conclusion.NOT_READING


def test_answers_that_are_all_equal_are_held_against_chance_themselves():
    same = grid(np.ones((6, 8)), groups=["right"] * 3 + ["negated"] * 3)
    assert only(guess(same, 0.5)).word is Conclusion.NOT_READING
    assert only(guess(grid(np.zeros((6, 8)), groups=same.groups), 0.5)).word is Conclusion.AT_CHANCE


def test_without_controls_or_without_correct_wordings_there_are_none():
    assert results_of_controls([task(0, 1.0)], {"right": Relation.OBSERVED}) == ()
    assert results_of_controls([task(0, 1.0)], {"negated": Relation.NEGATED}) == ()


def test_one_answer_is_unclear():
    result = only(grid([[1.0], [0.0]], groups=["right", "negated"]))
    assert result.word is Conclusion.UNCLEAR
    assert "too few" in result.reason


def test_a_margin_must_be_above_0():
    with pytest.raises(UsageError, match="above 0"):
        results_of_controls([task(0, 1.0)], RELATIONS, margin=0)


def test_a_metric_without_a_margin_shows_reading_only():
    words = [
        results_of_controls([replace(task(0, centre), metric=LETTERS, chance=None)], RELATIONS)[0]
        for centre in (1.0, -1.0)
    ]
    assert [each.word for each in words] == [Conclusion.UNCLEAR, Conclusion.READING]
    assert words[0].reason == "the metric 'length' has no margin within which it scores as well"
    # By default a metric in percent has two points.
    first = task(0, 0.93)
    assert results_of_controls([first], RELATIONS) == results_of_controls([first], RELATIONS, margin=0.02)


def test_where_less_is_better_a_higher_score_is_reading():
    high, low = (replace(task(0, centre), metric=ERRORS, chance=None) for centre in (2.0, -1.0))
    (found,) = results_of_controls([high], RELATIONS, margin=0.05)
    assert (found.word, found.reason) == (Conclusion.READING, "it scores worse than right")
    assert results_of_controls([low], RELATIONS, margin=0.05)[0].word is Conclusion.NOT_READING
