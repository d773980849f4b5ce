"""Distances, regression and maps against scipy, statsmodels and scikit-learn, and at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.spatial import KDTree

from phraseproof.analysis.representations import (
    choose_points,
    map_points,
    nearest_distances,
    regress,
    task_distances,
    wording_distances,
)
from phraseproof.errors import NotEnoughDataError, UsageError
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.queries import WordingScore
from phraseproof.store.representations import WordingDistance
from phraseproof.store.vectors import TaskVectors


def vectors(
    observed: int = 4, unobserved: int = 3, examples: int = 6, width: int = 5, *, seed: int = 0, task: str = "t"
) -> TaskVectors:
    draw = np.random.default_rng(seed)
    names = [f"o/{n}" for n in range(observed)] + [f"u/{n}" for n in range(unobserved)]
    groups = ["observed"] * observed + ["unobserved"] * unobserved
    array = draw.standard_normal((len(names), examples, width)).astype(np.float32)
    return TaskVectors(task, "C", 0, tuple(names), tuple(groups), tuple(f"e{n}" for n in range(examples)), array)


def distance(value: float, degradation: float | None, instruction: str = "u/0", **changes: Any) -> WordingDistance:
    return WordingDistance("t", "C", 0, "unobserved", instruction, value, None, None, degradation)._replace(**changes)


def score(group: str, instruction: str, value: float) -> WordingScore:
    return WordingScore("t", "C", group, instruction, 0, value, 10)


def test_distances_equal_a_nearest_neighbour_search() -> None:
    given = vectors()
    found = nearest_distances(given, "observed")
    assert list(found) == [("unobserved", f"u/{n}") for n in range(3)]
    for row, distances in enumerate(found.values()):
        for example in range(6):
            tree = KDTree(given.array[:4, example].astype(float))
            assert distances[example] == pytest.approx(
                float(tree.query(given.array[4 + row, example].astype(float))[0])
            )


def test_a_hand_worked_case() -> None:
    array = np.zeros((3, 2, 2), dtype=np.float32)
    array[1] = [[3, 4], [0, 2]]
    array[2] = [[3, 0], [0, 1]]
    given = TaskVectors("t", "C", 0, ("o/a", "o/b", "u/a"), ("observed", "observed", "unobserved"), ("x", "y"), array)
    # Nearest to (3, 0): (0, 0) at 3, not (3, 4) at 4. Nearest to (0, 1): both at 1.
    (row,) = wording_distances(given, "observed", scores=[score("observed", "o/a", 0.8), score("observed", "o/b", 0.6),
                                                          score("unobserved", "u/a", 0.65)])  # fmt: skip
    assert row.distance == pytest.approx(2.0)
    assert row.accuracy == 0.65
    assert row.degradation == pytest.approx(-0.05)
    assert row.before is None


def test_an_observed_wording_again_is_at_no_distance() -> None:
    given = vectors(observed=2, unobserved=2)
    same = given._replace(array=np.concatenate([given.array[:2], given.array[:2]]))
    assert all(row.distance == 0.0 for row in wording_distances(same, "observed"))


def test_before_and_after_an_adapter() -> None:
    after = vectors()
    before = after._replace(array=2 * after.array)
    rows = wording_distances(after, "observed", before=before)
    assert [row.before for row in rows] == pytest.approx([2 * row.distance for row in rows])
    with pytest.raises(UsageError, match="same examples"):
        wording_distances(after, "observed", before=vectors(examples=5))


def test_task_means_keep_silent_about_what_only_some_wordings_have() -> None:
    rows = [distance(1.0, -0.1, before=2.0), distance(3.0, None, "u/1", before=4.0)]
    (task,) = task_distances(rows, {("t", 0): 6})
    assert (task.distance, task.before, task.degradation, task.num_wordings, task.num_examples) == (2, 3, None, 2, 6)


def test_the_regression_equals_statsmodels() -> None:
    import statsmodels.api as sm

    draw = np.random.default_rng(0)
    x = draw.uniform(5, 40, 30)
    y = -0.002 * x + 0.02 * draw.standard_normal(30)
    found = regress([distance(a, b) for a, b in zip(x, y, strict=True)], ACCURACY)
    fitted: Any = sm.OLS(100 * y, sm.add_constant(x)).fit()
    low, high = fitted.conf_int()[1]
    assert (found.intercept, found.slope) == pytest.approx(tuple(fitted.params))
    assert (found.slope_low, found.slope_high) == pytest.approx((low, high))
    assert found.p_value == pytest.approx(fitted.pvalues[1])
    assert found.r_squared == pytest.approx(fitted.rsquared)
    assert found.n == 30


def test_regressions_that_the_data_do_not_determine() -> None:
    with pytest.raises(NotEnoughDataError, match="at least three points"):
        regress([distance(1.0, -0.1), distance(2.0, -0.2), distance(3.0, None)], ACCURACY)
    with pytest.raises(NotEnoughDataError, match="distances that differ"):
        regress([distance(1.0, n / 10) for n in range(4)], ACCURACY)
    flat = regress([distance(float(n), -0.25) for n in range(4)], ACCURACY)
    assert (flat.slope, flat.intercept, flat.p_value, flat.r_squared) == (0.0, -25.0, 1.0, 0.0)


@pytest.mark.parametrize(("observed", "unobserved"), [(0, 3), (3, 0)])
def test_distances_need_both_groups(observed: int, unobserved: int) -> None:
    with pytest.raises(NotEnoughDataError, match="a wording of the group 'observed' and one of another"):
        nearest_distances(vectors(observed, unobserved), "observed")


def test_one_example_and_one_wording_each_are_enough_for_a_distance() -> None:
    (row,) = wording_distances(vectors(1, 1, 1), "observed")
    assert np.isfinite(row.distance)


def test_pca_equals_a_singular_value_decomposition() -> None:
    given = vectors()
    points = map_points(given, "pca")
    assert len(points) == 7 * 6
    rows = np.array([given.array[given.instructions.index(p.instruction), given.example_ids.index(p.example_id)]
                     for p in points], dtype=float)  # fmt: skip
    centred = rows - rows.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    wanted = left[:, :2] * sizes[:2]
    found = np.array([(point.x, point.y) for point in points])
    np.testing.assert_allclose(np.abs(found), np.abs(wanted), atol=1e-6)


def test_tsne_keeps_far_groups_apart_and_is_seeded() -> None:
    given = vectors(3, 3, 10)
    array = given.array.copy()
    array[3:] += 40
    far = given._replace(array=array)
    points = map_points(far, "tsne", seed=1)
    places = {group: np.array([(p.x, p.y) for p in points if p.group == group]) for group in ("observed", "unobserved")}
    within = max(np.ptp(part, axis=0).max() for part in places.values())
    between = np.linalg.norm(places["observed"].mean(axis=0) - places["unobserved"].mean(axis=0))
    assert between > within
    again = map_points(far, "tsne", seed=1)
    np.testing.assert_allclose([(p.x, p.y) for p in again], [(p.x, p.y) for p in points], atol=1e-3)


def test_points_are_drawn_evenly_over_wordings() -> None:
    given = vectors(4, 3, 50)
    chosen = choose_points(given, 70, seed=0)
    assert np.bincount(chosen.wordings).tolist() == [10] * 7
    pairs = set(zip(chosen.wordings.tolist(), chosen.examples.tolist(), strict=True))
    assert len(pairs) == 70
    assert len(choose_points(given, 10_000, seed=0).wordings) == 350


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_maps_at_the_edges(method: str) -> None:
    with pytest.raises(NotEnoughDataError, match="at least 4 vectors"):
        map_points(vectors(1, 1, 1), method)
    assert len(map_points(vectors(2, 2, 1), method)) == 4
    narrow = map_points(vectors(2, 2, 3, width=1), method)
    assert all(np.isfinite((point.x, point.y)).all() for point in narrow)
    given = vectors(2, 2, 3)
    same = map_points(given._replace(array=np.ones_like(given.array)), method)
    assert {(point.x, point.y) for point in same} == {(0.0, 0.0)}


def test_an_unknown_map_is_one_line() -> None:
    with pytest.raises(UsageError, match="no map is called 'umap'"):
        map_points(vectors(), "umap")
