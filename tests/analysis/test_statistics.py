import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.robustness import summarize
from phraseproof.analysis.score_table import ScoreTable
from phraseproof.analysis.statistics import STATISTICS, Robustness, robustness
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.store.queries import WordingScore
from support.grid_samples import draw, grid, means_only
from support.other_metrics import ERRORS, AnswerLength


def only(*grids: TaskGrid, **options: object) -> Robustness:
    (found,) = robustness(grids, resamples=300, **options)  # type: ignore[arg-type]
    return found


def findings(found: Robustness) -> Iterator[Finding]:
    for row in (*found.tasks, *found.categories, found.overall):
        for statistics in row.groups.values():
            assert set(statistics.findings) | set(statistics.why_not) == set(STATISTICS)
            assert not set(statistics.findings) & set(statistics.why_not)
            assert all(statistics.why_not.values())
            yield from statistics.findings.values()
        yield from row.differences.values()


def test_every_statistic_by_hand():
    answers = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 1, 1]])
    scores = (answers == np.array([0, 0, 1, 0])).astype(float)
    found = only(grid(scores, answers=answers)).tasks[0].groups["g"].findings
    means = np.array([0.75, 0.5, 0.5, 0.75])
    expected = {
        "mean": means.mean(),
        "std": means.std(ddof=1),
        "range": 0.25,
        "worst": 0.5,
        "best": 0.75,
        "q05": np.quantile(means, 0.05),
        "q25": np.quantile(means, 0.25),
        "q50": np.median(means),
        "q75": np.quantile(means, 0.75),
        "q95": np.quantile(means, 0.95),
        "flips": 0.5,
        "pairwise_flips": (3 / 6 + 3 / 6) / 4,
        "kappa": fleiss_kappa(aggregate_raters(answers.T)[0]),
    }
    for name, value in expected.items():
        assert found[name].estimate == pytest.approx(value), name
        if found[name].low is not None:
            assert found[name].low <= value + 1e-9 <= found[name].high + 2e-9, name  # type: ignore[operator]
    # By the analysis of variance, these wordings do not differ by more than the luck of four examples.
    assert found["std_beyond_chance"].estimate == 0.0


def test_std_beyond_chance_is_what_endless_examples_would_leave():
    random = np.random.default_rng(0)
    scores = draw(random, 40, 100, between_examples=0.0, interaction=0.0, between_wordings=1.0)
    task = grid(scores)
    found = only(task).overall.groups["g"].findings
    left = scores - scores.mean(axis=1, keepdims=True) - scores.mean(axis=0) + scores.mean()
    noise = np.square(left).sum() / (39 * 99) / 100
    assert found["std_beyond_chance"].estimate == pytest.approx(math.sqrt(task.means.var(ddof=1) - noise), rel=0.02)


def test_rows_weigh_as_the_paper_s_table_does():
    """The same numbers as `summarize`, with tasks that lack a group and wordings that stand alone."""
    random = np.random.default_rng(1)
    shapes = {
        "a1": ("a", ["x"] * 4 + ["y"] * 3),
        "a2": ("a", ["x"] * 2),
        "b1": ("b", ["y", "x", "y"]),
        "b2": ("b", ["x"]),
    }
    grids = [
        grid(random.integers(0, 2, (len(groups), 12)), groups=groups, task=task, category=category)
        for task, (category, groups) in shapes.items()
    ]
    found = only(*grids, group_order=["x"])
    scores = [
        WordingScore(each.task, each.category, group, wording, 0, float(mean), 12)
        for each in grids
        for group, wording, mean in zip(each.groups, each.wordings, each.means, strict=True)
    ]
    (expected,) = summarize(scores, group_order=["x"])
    assert found.groups == expected.groups == ("x", "y")
    rows = zip(
        (*found.tasks, *found.categories, found.overall),
        (*expected.tasks, *expected.categories, expected.overall),
        strict=True,
    )
    for ours, theirs in rows:
        assert (ours.level, ours.name, ours.category) == (theirs.level, theirs.name, theirs.category)
        assert set(ours.groups) == set(theirs.groups)
        for group, summary in theirs.groups.items():
            statistics = ours.groups[group]
            assert statistics.findings["mean"].estimate == pytest.approx(summary.mean)
            if summary.std is None:
                assert "two wordings" in statistics.why_not["std"]
            else:
                assert statistics.findings["std"].estimate == pytest.approx(summary.std)
        assert set(ours.differences) == set(theirs.differences)
        for group, difference in theirs.differences.items():
            assert ours.differences[group].estimate == pytest.approx(difference.value)


shapes = st.tuples(st.integers(1, 6), st.integers(1, 6))


@settings(max_examples=60)
@given(
    st.lists(
        shapes.flatmap(
            lambda shape: st.tuples(
                arrays(np.intp, shape, elements=st.integers(0, 2)),
                st.lists(st.sampled_from(["x", "y"]), min_size=shape[0], max_size=shape[0]),
                st.booleans(),
            )
        ),
        min_size=1,
        max_size=3,
    )
)
def test_nothing_is_ever_nan_and_estimates_lie_in_their_intervals(
    tasks: list[tuple[np.ndarray, list[str], bool]],
):
    grids = [
        grid(answers == 0, groups=groups, answers=answers, task=f"t{n}")
        if known
        else means_only((answers == 0).mean(axis=1), groups=groups, task=f"t{n}")
        for n, (answers, groups, known) in enumerate(tasks)
    ]
    (found,) = robustness(grids, resamples=50)
    for finding in findings(found):
        numbers = [finding.estimate, finding.low, finding.high, finding.p_value, finding.standard_error]
        assert all(math.isfinite(number) for number in numbers if number is not None), finding
        assert (finding.low is None) == (finding.high is None)
        if finding.low is not None and finding.high is not None and not finding.name.startswith("q"):
            assert finding.low <= finding.estimate + 1e-9, finding
            assert finding.estimate <= finding.high + 1e-9, finding
        assert finding.method


def test_one_wording_and_one_example():
    found = only(grid([[1.0]], answers=[[0]])).overall.groups["g"]
    assert found.findings["mean"].estimate == 1.0
    assert found.findings["mean"].low is None
    assert set(found.findings) == {"mean"}


def test_groups_that_never_meet_have_no_difference_and_a_reason():
    found = only(grid([[1.0, 0.0]] * 2, groups=["x"] * 2), grid([[1.0, 0.0]] * 2, groups=["y"] * 2, task="u"))
    assert found.overall.differences == {}
    assert found.overall.why_not == {"y": "no task has wordings of both y and x"}


def test_tails_have_no_interval_and_a_note_where_wordings_are_few():
    """The bootstrap's interval of an outer quantile is too narrow then, and none is better than one known to fail."""
    random = np.random.default_rng(0)
    for count in (39, 40):
        found = only(grid(draw(random, count, 30)))
        for name in ("q05", "q25", "q50", "q75", "q95"):
            finding = found.overall.groups["g"].findings[name]
            assert (finding.low is None) == (count < 40 and name in {"q05", "q95"})
        assert any("5% and 95% quantiles" in note for note in found.notes) == (count < 40)


def test_demonstrations_are_apart_and_groups_checked():
    zero, three = robustness([grid(np.eye(4)), grid(np.eye(4), shots=3)], resamples=20)
    assert (zero.num_fewshot, three.num_fewshot) == (0, 3)
    with pytest.raises(UsageError, match="'h'"):
        robustness([grid(np.eye(4))], group_order=["h"])
    with pytest.raises(UsageError, match="twice"):
        robustness([grid(np.eye(4))], group_order=["g", "g"])
    with pytest.raises(NotEnoughDataError):
        robustness([])


def test_a_metric_with_another_range_has_the_same_statistics_on_another_scale():
    # A bound of 1 where values reach 1000 would leave estimates outside their intervals.
    random = np.random.default_rng(3)
    values = 0.5 + 0.02 * random.standard_normal((10, 30))
    groups = ["a"] * 5 + ["b"] * 5
    tasks = [grid(values + shift, groups=groups, task=f"t{shift}", category=f"c{shift}") for shift in (0.0, 0.1)]
    longer = [
        replace(each, means=1000 * each.means, table=ScoreTable(1000 * each.scores), metric=AnswerLength())
        for each in tasks
        if each.scores is not None
    ]
    (small,), (large,) = robustness(tasks), robustness(longer)
    for one, other in zip((*small.tasks, small.overall), (*large.tasks, large.overall), strict=True):
        for group in ("a", "b"):
            for name, finding in one.groups[group].findings.items():
                same = other.groups[group].findings[name]
                for number in ("estimate", "low", "high"):
                    expected, got = getattr(finding, number), getattr(same, number)
                    assert got == (None if expected is None else pytest.approx(1000 * expected, rel=1e-6)), name
        expected, got = one.differences["b"], other.differences["b"]
        assert got.standard_error == pytest.approx(1000 * (expected.standard_error or 0.0))
        for bound in ("low", "high"):
            assert getattr(got, bound) == pytest.approx(1000 * getattr(expected, bound))
        assert got.p_value == pytest.approx(expected.p_value)


def test_the_worst_wording_has_the_largest_score_where_less_is_better():
    random = np.random.default_rng(3)
    given = grid((random.random((5, 30)) < 0.5).astype(float), groups=["a"] * 5)
    (more,), (less,) = robustness([given]), robustness([replace(given, metric=ERRORS)])
    for name, opposite in (("worst", "best"), ("best", "worst"), ("range", "range")):
        first, second = more.tasks[0].groups["a"].findings[name], less.tasks[0].groups["a"].findings[opposite]
        assert (first.estimate, first.low) == (second.estimate, second.low)
    assert less.tasks[0].groups["a"].findings["worst"].estimate == max(given.means)
