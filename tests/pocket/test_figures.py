"""Accuracy with intervals: exact where nothing varies, and wide where wordings do."""

from __future__ import annotations

import pytest

from phraseproof.errors import RunError
from phraseproof.evaluation.evaluate import evaluate
from phraseproof.pocket.figures import OVERALL, figures
from phraseproof.store.queries import Run

TASKS = "pocket/has-maker,pocket/has-end,pocket/label-price"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    groups = {"observed": "pocket-observed", "test": "pocket-test"}
    return evaluate("scripted", TASKS, groups, tmp_path_factory.mktemp("run"), limit=20)


def test_means_are_those_of_the_run(run: Run) -> None:
    found = {figure.kind: figure for figure in figures(run, "observed", "test")}
    assert list(found) == ["Pocket-BC", "Pocket-MC", OVERALL]
    rows = run.query("""SELECT category, "group", 100 * avg(score) AS mean FROM outcomes GROUP BY ALL""").to_pylist()
    means = {(row["category"], row["group"]): row["mean"] for row in rows}
    for kind in ("Pocket-BC", "Pocket-MC"):
        assert found[kind].first.percent == pytest.approx(means[kind, "observed"])
        assert found[kind].second.percent == pytest.approx(means[kind, "test"])
    both = [found[kind].second.percent for kind in ("Pocket-BC", "Pocket-MC")]
    assert found[OVERALL].second.percent == pytest.approx(sum(both) / 2)


def test_intervals_hold_the_mean_and_are_the_same_for_a_seed(run: Run) -> None:
    found = figures(run, "observed", "test", seed=1)
    assert found == figures(run, "observed", "test", seed=1)
    for _, *intervals in found:
        for interval in intervals:
            assert interval.low < interval.percent < interval.high


def test_a_missing_group_is_reported(run: Run) -> None:
    with pytest.raises(RunError, match=r"both groups of wordings .*\(expected observed, nosuch, got observed, test\)"):
        figures(run, "observed", "nosuch")
