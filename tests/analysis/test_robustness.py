import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.robustness import Summary, summarize
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.store.queries import WordingScore


def score(
    task: str, group: str, wording: str, value: float, *, category: str = "", shots: int = 0, examples: int = 100
):
    return WordingScore(task, category or task.split("-", maxsplit=1)[0], group, wording, shots, value, examples)


def table(values: dict[str, dict[str, list[float]]], *, shots: int = 0) -> list[WordingScore]:
    """Scores from `{task: {group: [one a wording]}}`; a task's category is its name up to a hyphen."""
    return [
        score(task, group, f"{group}/{number}", value, shots=shots)
        for task, groups in values.items()
        for group, of_group in groups.items()
        for number, value in enumerate(of_group)
    ]


def only(scores: list[WordingScore], **options: list[str]) -> Summary:
    (summary,) = summarize(scores, **options)
    return summary


accuracies = st.lists(st.integers(0, 1000).map(lambda count: count / 1000), min_size=1, max_size=6)
complete = st.dictionaries(
    st.sampled_from(["a-1", "a-2", "b-1", "c-1", "c-2", "c-3"]),
    st.fixed_dictionaries({"old": accuracies, "new": accuracies}),
    min_size=1,
)
ragged = st.dictionaries(
    st.sampled_from(["a-1", "a-2", "b-1", "c-1", "c-2", "c-3"]),
    st.dictionaries(st.sampled_from(["old", "new", "other"]), accuracies, min_size=1),
    min_size=1,
)


VALUES = {
    "qa-1": {"observed": [0.50, 0.52, 0.57], "unobserved": [0.40, 0.50]},
    "qa-2": {"observed": [0.70, 0.74], "unobserved": [0.60, 0.66, 0.72]},
    "bc-1": {"observed": [0.90, 0.80], "unobserved": [0.85, 0.95]},
}


class TestByHand:
    def test_a_task_is_the_mean_and_sample_std_over_its_wordings(self):
        row = only(table(VALUES)).tasks[0]
        assert (row.level, row.name, row.category) == (Level.TASK, "qa-1", "qa")
        found = row.groups["observed"]
        assert found.mean == pytest.approx(np.mean([0.50, 0.52, 0.57]))
        assert found.std == pytest.approx(np.std([0.50, 0.52, 0.57], ddof=1))
        assert (found.num_wordings, found.num_tasks) == (3, 1)

    def test_a_category_is_the_mean_of_task_means_and_of_task_stds(self):
        row = only(table(VALUES)).categories[0]
        assert (row.level, row.name, row.category) == (Level.CATEGORY, "qa", "qa")
        found = row.groups["unobserved"]
        assert found.mean == pytest.approx((0.45 + 0.66) / 2)
        assert found.std == pytest.approx((np.std([0.40, 0.50], ddof=1) + 0.06) / 2)
        assert (found.num_wordings, found.num_tasks) == (3, 2)

    def test_overall_weighs_categories_equally_however_many_tasks_they_have(self):
        summary = only(table(VALUES))
        found = summary.overall.groups["observed"]
        qa = (0.53 + 0.72) / 2
        assert found.mean == pytest.approx((qa + 0.85) / 2)
        stds = [np.std(VALUES[task]["observed"], ddof=1) for task in VALUES]
        assert found.std == pytest.approx(((stds[0] + stds[1]) / 2 + stds[2]) / 2)
        assert found.num_tasks == 3
        assert summary.notes == ()

    def test_differences_are_later_groups_minus_the_first(self):
        summary = only(table(VALUES))
        assert summary.groups == ("observed", "unobserved")
        assert summary.tasks[0].differences["unobserved"].value == pytest.approx(0.45 - 0.53)
        assert "observed" not in summary.tasks[0].differences
        assert summary.overall.differences["unobserved"].num_tasks == 3


class TestWhatIsMissing:
    def test_one_wording_has_no_std(self):
        summary = only(table({"t": {"mine": [0.5]}}))
        assert summary.overall.groups["mine"].std is None
        assert summary.tasks[0].groups["mine"].mean == 0.5
        assert any("t" in note and "not enough data for a Std" in note for note in summary.notes)

    def test_a_std_skips_tasks_with_one_wording(self):
        summary = only(table({"a-1": {"mine": [0.5]}, "a-2": {"mine": [0.5, 0.7]}}))
        found = summary.categories[0].groups["mine"]
        assert found.mean == pytest.approx(0.55)
        assert found.std == pytest.approx(np.std([0.5, 0.7], ddof=1))

    def test_a_task_without_a_group_takes_no_part_in_its_difference(self):
        values = {"a-1": {"old": [0.5, 0.5], "new": [0.4, 0.4]}, "a-2": {"old": [0.9, 0.9]}}
        summary = only(table(values))
        category = summary.categories[0]
        assert category.groups["old"].mean == pytest.approx(0.7)
        assert category.groups["new"].mean == pytest.approx(0.4)
        assert category.differences["new"].value == pytest.approx(-0.1)
        assert category.differences["new"].num_tasks == 1
        assert "new" not in summary.tasks[1].groups
        assert any("No wording of group new for a-2" in note for note in summary.notes)

    def test_a_category_without_a_group_takes_no_part_in_that_groups_overall(self):
        summary = only(table({"a-1": {"old": [0.5], "new": [0.4]}, "b-1": {"old": [0.9]}}))
        assert summary.overall.groups["old"].mean == pytest.approx(0.7)
        assert summary.overall.groups["new"].mean == pytest.approx(0.4)
        assert summary.overall.differences["new"].value == pytest.approx(-0.1)
        assert any("Group new has nothing in category b" in note for note in summary.notes)

    def test_groups_that_share_no_task_have_no_difference(self):
        summary = only(table({"a-1": {"old": [0.5]}, "b-1": {"new": [0.9]}}))
        assert summary.overall.differences == {}
        assert set(summary.overall.groups) == {"old", "new"}

    def test_a_note_names_a_few_tasks_and_counts_the_rest(self):
        values = {"a-0": {"old": [0.5], "new": [0.5]}, **{f"a-{number}": {"old": [0.5]} for number in range(1, 58)}}
        assert any("and 52 more" in note for note in only(table(values)).notes)

    def test_different_numbers_of_examples_are_pointed_out(self):
        scores = [score("t", "g", "c/1", 0.5, examples=100), score("t", "g", "c/2", 0.5, examples=90)]
        assert any("different numbers of examples in t" in note for note in only(scores).notes)


class TestShotsAndOrder:
    def test_numbers_of_demonstrations_are_summarised_apart(self):
        scores = table({"t": {"g": [0.9]}}, shots=5) + table({"t": {"g": [0.1, 0.3], "h": [0.5]}}, shots=0)
        none, five = summarize(scores)
        assert (none.num_fewshot, five.num_fewshot) == (0, 5)
        assert none.overall.groups["g"].mean == pytest.approx(0.2)
        assert five.overall.groups["g"].mean == pytest.approx(0.9)
        assert (none.groups, five.groups) == (("g", "h"), ("g",))

    def test_names_keep_the_order_in_which_they_appear(self):
        summary = only(
            table({"z-1": {"today": [0.5], "again": [0.5]}, "a-1": {"today": [0.5]}, "z-0": {"today": [0.5]}})
        )
        assert summary.groups == ("today", "again")
        assert [row.name for row in summary.categories] == ["z", "a"]
        assert [row.name for row in summary.tasks] == ["z-1", "a-1", "z-0"]

    def test_a_group_order_moves_groups_first_and_with_them_the_reference(self):
        summary = only(table({"t": {"a": [0.1], "b": [0.2], "c": [0.4]}}), group_order=["c"])
        assert summary.groups == ("c", "a", "b")
        assert summary.tasks[0].differences["a"].value == pytest.approx(-0.3)

    @pytest.mark.parametrize(("order", "words"), [(["nope"], "nope"), (["a", "a"], "twice")])
    def test_a_group_order_names_what_is_there_once(self, order: list[str], words: str):
        with pytest.raises(UsageError, match=words):
            summarize(table({"t": {"a": [0.1]}}), group_order=order)


class TestRefusals:
    def test_nothing_to_summarise(self):
        with pytest.raises(NotEnoughDataError):
            summarize([])

    def test_the_same_wording_twice(self):
        with pytest.raises(RunError, match="twice"):
            summarize([score("t", "g", "c/1", 0.5), score("t", "g", "c/1", 0.6)])

    def test_a_wording_may_serve_two_groups(self):
        summary = only([score("t", "g", "c/1", 0.5), score("t", "h", "c/1", 0.5)])
        assert summary.overall.differences["h"].value == 0

    def test_a_task_in_two_categories(self):
        with pytest.raises(RunError, match="two categories"):
            summarize([score("t", "g", "c/1", 0.5, category="x"), score("t", "g", "c/2", 0.6, category="y")])

    @pytest.mark.parametrize("value", [math.nan, math.inf])
    def test_scores_that_are_not_numbers(self, value: float):
        with pytest.raises(RunError, match="finite"):
            summarize([score("t", "g", "c/1", value)])


class TestProperties:
    @given(ragged, st.randoms(use_true_random=False))
    def test_the_order_of_scores_changes_no_digit(self, values: dict, shuffler: random.Random):
        scores = table(values)
        shuffled = scores[:]
        shuffler.shuffle(shuffled)
        order = sorted({each.group for each in scores})
        before, after = only(scores, group_order=order), only(shuffled, group_order=order)

        def by_name(summary: Summary):
            return {(row.level, row.name): row for row in (*summary.tasks, *summary.categories)}

        assert by_name(before) == by_name(after)
        for group, found in before.overall.groups.items():
            again = after.overall.groups[group]
            assert (found.mean, found.std) == pytest.approx((again.mean, again.std), abs=0)

    @given(complete, st.floats(-1, 1))
    def test_a_shift_of_all_accuracies_moves_means_and_leaves_stds_and_differences(self, values: dict, shift: float):
        scores = table(values)
        before = only(scores)
        after = only([each._replace(mean_score=each.mean_score + shift) for each in scores])
        rows = zip(
            (*before.tasks, *before.categories, before.overall),
            (*after.tasks, *after.categories, after.overall),
            strict=True,
        )
        for old, new in rows:
            for group, found in old.groups.items():
                assert new.groups[group].mean == pytest.approx(found.mean + shift, abs=1e-12)
                assert new.groups[group].std == pytest.approx(found.std, abs=1e-12)
            for group, found in old.differences.items():
                assert new.differences[group].value == pytest.approx(found.value, abs=1e-12)

    @given(complete)
    def test_with_every_group_everywhere_differences_are_those_of_the_means(self, values: dict):
        summary = only(table(values), group_order=["old"])
        for row in (*summary.tasks, *summary.categories, summary.overall):
            expected = row.groups["new"].mean - row.groups["old"].mean
            assert row.differences["new"].value == pytest.approx(expected, abs=1e-12)

    @given(complete)
    def test_agrees_with_numpy(self, values: dict):
        summary = only(table(values))
        categories: dict[str, list[str]] = {}
        for task in values:
            categories.setdefault(task.split("-")[0], []).append(task)
        for group in ("old", "new"):
            means = [np.mean([np.mean(values[task][group]) for task in tasks]) for tasks in categories.values()]
            assert summary.overall.groups[group].mean == pytest.approx(np.mean(means))

    @settings(max_examples=50)
    @given(ragged)
    def test_no_answer_is_nan(self, values: dict):
        summary = only(table(values))
        for row in (*summary.tasks, *summary.categories, summary.overall):
            for found in row.groups.values():
                assert math.isfinite(found.mean)
                assert found.std is None or math.isfinite(found.std)
            assert all(math.isfinite(difference.value) for difference in row.differences.values())
