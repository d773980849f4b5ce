from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.paired import RunComparison, compare_runs
from phraseproof.analysis.significance.equivalence import Answer, not_worse
from phraseproof.errors import NotEnoughDataError
from support.grid_samples import draw, grid, means_only

RANDOM = np.random.default_rng(0)
BEFORE = draw(RANDOM, 8, 60)
AFTER = np.where(RANDOM.random(BEFORE.shape) < 0.2, 1.0, BEFORE)


def only(before: list[TaskGrid], after: list[TaskGrid], *, resamples: int = 2000) -> RunComparison:
    (found,) = compare_runs(before, after, resamples=resamples)
    return found


def test_the_standard_error_is_that_of_a_crossed_bootstrap_done_in_loops():
    """Wordings and examples drawn one at a time, Owen's pigeonhole bootstrap, against the arrays of `crossed`."""
    found = only([grid(BEFORE)], [grid(AFTER)]).overall.all
    difference, draw_of = AFTER - BEFORE, np.random.default_rng(1)
    means: list[float] = []
    for _ in range(3000):
        rows = [int(draw_of.integers(8)) for _ in range(8)]
        columns = [int(draw_of.integers(60)) for _ in range(60)]
        means.append(float(difference[np.ix_(rows, columns)].mean()))
    assert found.estimate == pytest.approx(difference.mean())
    assert found.n == 8 * 60
    # Ours is widened for the wordings' and examples' own degrees of freedom: at most by sqrt(8 / 7).
    assert found.standard_error is not None
    assert np.std(means) * 0.96 < found.standard_error < np.std(means) * np.sqrt(8 / 7) * 1.04


@settings(max_examples=25)
@given(shift=st.floats(-0.5, 0.5), seed=st.integers(0, 1000))
def test_a_constant_shift_moves_estimate_and_interval_by_itself(shift: float, seed: int):
    values = np.random.default_rng(seed)
    before = values.random((4, 6)) / 2
    after = before + (values.random((4, 6)) - 0.5) / 50
    plain, moved = (only([grid(before)], [grid(scores)]).overall.all for scores in (after, after + shift))
    assert plain.low is not None
    assert moved.low is not None
    assert moved.estimate == pytest.approx(plain.estimate + shift, abs=1e-9)
    assert moved.low == pytest.approx(plain.low + shift, abs=1e-9)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1)])
def test_one_wording_or_one_example_leaves_an_interval_over_the_other(shape: tuple[int, int]):
    random = np.random.default_rng(0)
    found = only([grid(random.random(shape) / 2)], [grid(random.random(shape))]).overall.all
    assert f"over {'examples' if shape[0] == 1 else 'wordings'} only" in found.method
    assert found.low is not None


def test_one_wording_and_one_example_have_no_interval():
    found = only([grid([[0.0]])], [grid([[1.0]])]).overall.all
    assert (found.estimate, found.low, found.high) == (1.0, None, None)


@pytest.mark.slow
def test_the_interval_covers_a_crossed_truth():
    """Differences with a random effect of each wording and of each example: the interval holds the true mean at least
    as often as it says (a crossed bootstrap is known to be a little wide), and an interval that forgot the wordings
    would not."""
    random = np.random.default_rng(7)
    truth, covered, covered_by_examples_alone = 0.03, 0, 0
    repeats = 200
    for _ in range(repeats):
        wording, example = random.normal(0, 0.10, (12, 1)), random.normal(0, 0.10, (1, 40))
        matrix = truth + wording + example + random.normal(0, 0.2, (12, 40))
        found = only([grid(np.zeros_like(matrix))], [grid(matrix)], resamples=500).overall.all
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
        means = matrix.mean(axis=0)
        half = 1.96 * means.std(ddof=1) / np.sqrt(len(means))
        covered_by_examples_alone += abs(means.mean() - truth) <= half
    # Three standard errors of a share of 200 that is truly 95%.
    assert covered / repeats >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / repeats)
    assert covered_by_examples_alone / repeats < 0.85


def test_rows_and_groups():
    groups = ["a"] * 5 + ["b"] * 3
    found = only(
        [grid(BEFORE, groups=groups), grid(BEFORE, task="u", category="d")],
        [grid(AFTER, groups=groups), grid(BEFORE, task="u", category="d")],
    )
    t, u = found.tasks
    assert t.groups["a"].estimate == pytest.approx((AFTER - BEFORE)[:5].mean())
    assert t.groups["b"].estimate == pytest.approx((AFTER - BEFORE)[5:].mean())
    assert t.all.estimate == pytest.approx((AFTER - BEFORE).mean())
    assert (u.all.estimate, u.all.p_value) == (0.0, 1.0)
    assert found.overall.all.estimate == pytest.approx((AFTER - BEFORE).mean() / 2)
    assert [row.name for row in found.categories] == ["c", "d"]
    assert found.groups == ("a", "b", "g")


def test_balanced_counts_each_group_equally_however_many_wordings_it_has():
    groups = ["observed"] * 2 + ["unobserved"] * 6
    rows = only([grid(BEFORE, groups=groups)], [grid(AFTER, groups=groups)]).overall
    means = [rows.groups[name].estimate for name in ("observed", "unobserved")]
    assert rows.balanced.estimate == pytest.approx(sum(means) / 2)
    assert rows.balanced.estimate != pytest.approx(rows.all.estimate)
    # Both groups share their examples: less precise than of all eight wordings, more than of the two.
    errors = [found.standard_error or 0.0 for found in (rows.all, rows.balanced, rows.groups["observed"])]
    assert errors == sorted(errors)
    alone = only([grid(BEFORE)], [grid(AFTER)]).overall
    assert alone.balanced.estimate == pytest.approx(alone.all.estimate)


def test_each_wording_has_mcnemar_s_p_and_holm_s():
    found = only([grid(BEFORE)], [grid(AFTER)])
    raw: list[float] = []
    for row, each in enumerate(found.wordings):
        gained = int((AFTER[row] > BEFORE[row]).sum())
        assert (each.before, each.after) == (pytest.approx(BEFORE[row].mean()), pytest.approx(AFTER[row].mean()))
        assert each.finding is not None
        assert each.finding.p_value == pytest.approx(stats.binomtest(gained, gained).pvalue if gained else 1.0)
        raw.append(each.finding.p_value or 0.0)
    ordered = sorted(range(len(raw)), key=raw.__getitem__)
    highest = 0.0
    for place, row in enumerate(ordered):
        highest = max(highest, min(1.0, raw[row] * (len(raw) - place)))
        assert found.wordings[row].p_holm == pytest.approx(highest)


def test_only_what_both_hold_is_compared_and_the_rest_told():
    names = ["a"] * 8
    before, after = grid(BEFORE[:, :40], groups=names), grid(AFTER[:6], groups=names[:6])
    found = only([before, grid(BEFORE, task="only-before")], [after])
    assert len(found.wordings) == 6
    assert found.overall.all.estimate == pytest.approx((AFTER - BEFORE)[:6, :40].mean())
    assert found.notes == (
        "t: 2 wordings only in the first run; left out.",
        "t: 20 examples only in the second run; left out.",
        "only-before: no wording in common; left out.",
    )


def test_examples_in_another_order_meet():
    order = RANDOM.permutation(60)
    shuffled = grid(AFTER[:, order])
    shuffled = replace(shuffled, examples=tuple(f"e{column}" for column in order))
    found = only([grid(BEFORE)], [shuffled])
    assert found.overall.all.estimate == pytest.approx((AFTER - BEFORE).mean())
    assert found.wordings[0].after == pytest.approx(AFTER[0].mean())


def test_accuracies_alone_still_compare_and_say_what_they_lack():
    found = only([means_only([0.5, 0.6, 0.7])], [means_only([0.6, 0.7, 0.9])])
    assert found.overall.all.estimate == pytest.approx(0.4 / 3)
    assert "over wordings only" in found.overall.all.method
    assert {each.why_not for each in found.wordings} == {"no outcomes of examples"}
    assert {each.p_holm for each in found.wordings} == {None}


def test_scores_that_are_not_right_or_wrong_have_no_mcnemar():
    found = only([grid(BEFORE / 2)], [grid(AFTER / 2)])
    assert found.wordings[0].finding is None
    assert "right or wrong" in (found.wordings[0].why_not or "")
    assert found.overall.all.p_value is not None


def test_not_worse_works_on_its_findings():
    found = only([grid(BEFORE)], [grid(AFTER)])
    assert not_worse(found.overall.all, 0.01).word is Answer.EQUIVALENT
    back = only([grid(AFTER)], [grid(BEFORE)])
    assert not_worse(back.overall.all, 0.01).word is Answer.DIFFERENT


def test_nothing_in_common():
    before = grid(BEFORE)
    texts = replace(before, keys=tuple(f"{name}\0one" for name in before.wordings))
    for after, why in (
        (grid(AFTER, task="u"), "the tasks t 0-shot, and u 0-shot"),
        (
            grid(AFTER, groups=["imported"] * 8),
            "t: 'g/000' in the group 'g', and 'imported/000' in the group 'imported'",
        ),
        (replace(texts, keys=tuple(f"{name}\0two" for name in before.wordings)), "same names, with other texts"),
        (replace(texts, examples=tuple(f"x{name}" for name in before.examples)), "same names, with other examples"),
    ):
        with pytest.raises(NotEnoughDataError, match=f"no wording in common .*{why}"):
            compare_runs([texts], [after])


def test_imported_wordings_without_a_text_are_those_of_the_same_name():
    before = grid(BEFORE)
    texts = replace(before, keys=tuple(f"{name}\0text" for name in before.wordings))
    untold = replace(grid(AFTER), keys=tuple(f"{name}\0" for name in before.wordings))
    assert only([texts], [untold]).overall.all == only([before], [grid(AFTER)]).overall.all
