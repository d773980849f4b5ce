"""Distances between wordings inside a model: to the nearest observed one, their relation to accuracy, and maps.

The paper (Table 5, Figures 4, 5, 7 and 10) measures, for each example, the Euclidean distance between the vector of an
unobserved wording and that of the nearest observed one, averages it, and relates it to the loss of accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.analysis.regression import least_squares
from phraseproof.errors import MissingExtraError, NotEnoughDataError, UsageError
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.store.representations import MapPoint, Regression, RepresentationMap, TaskDistance, WordingDistance
from phraseproof.store.vectors import TaskVectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import WordingScore
    from phraseproof.store.vectors import StoredVectors

METHODS = ("tsne", "pca")
CONFIDENCE = 0.95
PERPLEXITY = 30.0
MIN_POINTS = 4
"""Fewer points make no t-SNE: its perplexity must be below their number."""


class MapSettings(NamedTuple):
    """How findings about representations are made.

    Attributes:
        reference: the group of wordings that distances are measured to.
        methods: how planes are drawn: some of `tsne` and `pca`, or none.
        most_points: instances in a plane.
        seed: of the draw of instances, and of t-SNE.
    """

    reference: str = "observed"
    methods: tuple[str, ...] = METHODS
    most_points: int = 1000
    seed: int = 0


def describe(
    vectors: StoredVectors,
    settings: MapSettings = MapSettings(),
    *,
    scores: Sequence[WordingScore] = (),
    before: StoredVectors | None = None,
    metric: Metric = ACCURACY,
) -> RepresentationMap:
    """All findings in stored vectors: distances, their relation to accuracy, and maps.

    Args:
        vectors: of any number of tasks; those that have only one group of wordings get a map and no distances.
        scores: each wording's accuracy, where it is known.
        before: vectors of the same wordings and examples without the adapter.
        metric: what the scores are in.

    Raises:
        NotEnoughDataError: no task has both a wording of the reference group and another.
        UsageError: `before` does not hold the same examples.
    """
    points: list[MapPoint] = []
    distances: list[WordingDistance] = []
    notes: list[str] = []
    num_examples: dict[tuple[str, int], int] = {}
    reason: NotEnoughDataError | None = None
    earlier_planes = [] if before is None else before.planes()
    for task, shots in vectors.planes():
        of_task = vectors.of(task, shots)
        num_examples[task, shots] = len(of_task.example_ids)
        earlier = before.of(task, shots) if before is not None and (task, shots) in earlier_planes else None
        if before is not None and (lack := _not_comparable(of_task, earlier, settings.reference)):
            notes.append(f"no distance before the adapter on {task!r}: {lack}")
            earlier = None
        try:
            distances += wording_distances(of_task, settings.reference, scores=scores, before=earlier)
        except NotEnoughDataError as error:
            reason = error
        if of_task.array.shape[0] * of_task.array.shape[1] >= MIN_POINTS:
            for method in settings.methods:
                points += map_points(of_task, method, most=settings.most_points, seed=settings.seed)
    if not distances:
        raise reason or NotEnoughDataError("there are no representations")
    tasks = task_distances(distances, num_examples)
    regression, why = _try(distances, metric)
    return RepresentationMap(
        reference=settings.reference,
        points=tuple(points),
        distances=tuple(distances),
        tasks=tuple(tasks),
        regression=regression,
        task_regression=_try(tasks, metric)[0],
        regression_reason=why,
        settings={**vectors.settings, "map": {**settings._asdict(), "perplexity": PERPLEXITY}},
        notes=tuple(notes),
        metric=metric.name,
    )


def _not_comparable(now: TaskVectors, before: TaskVectors | None, reference: str) -> str:
    """Why a task's distances cannot be compared with earlier ones, or an empty text."""
    if before is None:
        return "the folder to compare with has no vectors of it"
    names, earlier = (
        {name for name, group in zip(each.instructions, each.groups, strict=True) if group == reference}
        for each in (now, before)
    )
    if names == earlier:
        return ""
    return (
        f"the folder to compare with holds {len(names & earlier)} of the {len(names)} wordings of the group "
        f"{reference!r}" + (f" and {len(earlier - names)} others" if earlier - names else "")
    )


def _try(
    rows: Sequence[WordingDistance] | Sequence[TaskDistance], metric: Metric
) -> tuple[Regression | None, str | None]:
    try:
        return regress(rows, metric), None
    except NotEnoughDataError as error:
        return None, str(error)


def nearest_distances(vectors: TaskVectors, reference: str) -> dict[tuple[str, str], NDArray[np.float64]]:
    """The distance of each wording from the reference group, for each example.

    Args:
        vectors: of one task.
        reference: the group whose nearest wording is looked for, each example for itself.

    Returns:
        For each wording outside the reference group, by (group, instruction), one Euclidean distance an example, in
        the order of `vectors.example_ids`.

    Raises:
        NotEnoughDataError: the task has no wording of the reference group, or none of another.
    """
    inside = [place for place, group in enumerate(vectors.groups) if group == reference]
    outside = [place for place, group in enumerate(vectors.groups) if group != reference]
    if not inside or not outside:
        raise NotEnoughDataError(
            f"distances on {vectors.task!r} need a wording of the group {reference!r} and one of another",
            got=f"{len(inside)} and {len(outside)}",
        )
    from scipy.spatial.distance import cdist

    array = np.asarray(vectors.array, dtype=np.float64)
    nearest = np.empty((len(outside), array.shape[1]))
    for example in range(array.shape[1]):
        nearest[:, example] = cdist(array[outside, example], array[inside, example]).min(axis=1)
    names = [(vectors.groups[place], vectors.instructions[place]) for place in outside]
    return dict(zip(names, nearest, strict=True))


def wording_distances(
    vectors: TaskVectors,
    reference: str,
    *,
    scores: Sequence[WordingScore] = (),
    before: TaskVectors | None = None,
) -> list[WordingDistance]:
    """One task's wordings with their mean distance, what it was before, and the accuracy they cost.

    Args:
        vectors: of one task.
        reference: the group that distances are measured to.
        scores: each wording's accuracy, where it is known; those of other tasks and shots are ignored.
        before: the same task's vectors without the adapter.

    Raises:
        NotEnoughDataError: as `nearest_distances`.
        UsageError: `before` does not hold the same examples.
    """
    if before is not None and before.example_ids != vectors.example_ids:
        raise UsageError(
            f"the representations to compare with are not of the same examples of {vectors.task!r}",
            expected=f"{len(vectors.example_ids)} examples of the same sample",
            got=f"{len(before.example_ids)}",
            where="--before",
            hint="Extract both with the same --limit and --seed",
        )
    earlier = {} if before is None else nearest_distances(before, reference)
    mine = [row for row in scores if (row.task, row.num_fewshot) == (vectors.task, vectors.num_fewshot)]
    accuracy = {(row.group, row.instruction): row.mean_score for row in mine}
    observed = [row.mean_score for row in mine if row.group == reference]
    found: list[WordingDistance] = []
    for (group, instruction), distances in nearest_distances(vectors, reference).items():
        own = accuracy.get((group, instruction))
        was = earlier.get((group, instruction))
        found.append(
            WordingDistance(
                vectors.task,
                vectors.category,
                vectors.num_fewshot,
                group,
                instruction,
                distance=float(distances.mean()),
                before=None if was is None else float(was.mean()),
                accuracy=own,
                degradation=own - fmean(observed) if own is not None and observed else None,
            )
        )
    return found


def task_distances(
    distances: Sequence[WordingDistance], num_examples: Mapping[tuple[str, int], int]
) -> list[TaskDistance]:
    """The means over each task's wordings (the rows under the paper's Table 5 are tasks of its categories).

    Args:
        distances: of any number of tasks.
        num_examples: of each (task, number of demonstrations).
    """
    rows: list[TaskDistance] = []
    for task, shots in dict.fromkeys((row.task, row.num_fewshot) for row in distances):
        members = [row for row in distances if (row.task, row.num_fewshot) == (task, shots)]
        rows.append(
            TaskDistance(
                task,
                members[0].category,
                shots,
                distance=fmean(row.distance for row in members),
                before=_mean_of_all([row.before for row in members]),
                degradation=_mean_of_all([row.degradation for row in members]),
                num_wordings=len(members),
                num_examples=num_examples[task, shots],
            )
        )
    return rows


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    """The mean, or nothing where one is unknown: a mean of the others would be of other wordings."""
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def regress(rows: Sequence[WordingDistance] | Sequence[TaskDistance], metric: Metric) -> Regression:
    """Least squares of degradation, in points or the metric's unit, on distance (paper, Figure 5: slope -0.2, p 0.08).

    The wordings of one task share their reference, so points are not independent and the p-value is a description, as
    the paper's is.

    Args:
        rows: those without a degradation are ignored.
        metric: what degradations are in.

    Raises:
        NotEnoughDataError: fewer than three points, or all at one distance.
    """
    points = [(row.distance, metric.scale * row.degradation) for row in rows if row.degradation is not None]
    if len(points) < 3:
        raise NotEnoughDataError(
            "a regression of degradation on distance needs at least three points with an accuracy", got=str(len(points))
        )
    x, y = (np.array(column) for column in zip(*points, strict=True))
    if np.ptp(x) <= 1e-12 * np.abs(x).max():
        raise NotEnoughDataError("a regression needs distances that differ", got=f"{x[0]:.3g} {len(points)} times")
    if np.ptp(y) <= 1e-12 * max(1.0, np.abs(y).max()):
        # All degradations are equal: the line is flat and exact, and there is no variance to explain.
        return Regression(0.0, float(y[0]), 0.0, 0.0, p_value=1.0, r_squared=0.0, n=len(points))

    line = least_squares(x, y, confidence=CONFIDENCE)
    return Regression(
        line.slope, line.intercept, line.low, line.high, p_value=line.p_value, r_squared=line.r_squared, n=len(points)
    )


class Chosen(NamedTuple):
    """Some of a task's instances, each an example under a wording: indices into the first two axes of its array."""

    wordings: NDArray[np.int64]
    examples: NDArray[np.int64]


def choose_points(vectors: TaskVectors, most: int, seed: int) -> Chosen:
    """Draw at most this number of instances by the seed, equally many per wording (plus or minus one)."""
    wordings, examples = vectors.array.shape[:2]
    draw = np.random.default_rng(seed)
    # Every wording has its own order of examples; taking turns keeps the wordings' numbers equal.
    orders = np.stack([draw.permutation(examples) for _ in range(wordings)], axis=1)
    count = min(most, wordings * examples)
    turns = np.tile(np.arange(wordings), examples)[:count]
    return Chosen(turns, orders.reshape(-1)[:count])


def map_points(vectors: TaskVectors, method: str, *, most: int = 1000, seed: int = 0) -> list[MapPoint]:
    """Coordinates in a plane, so that instances with similar vectors are close (paper, Figures 4 and 11).

    Args:
        vectors: of one task.
        method: `tsne` (scikit-learn's Barnes-Hut, started from the principal components) or `pca`.
        most: the maximum number of instances.
        seed: of the draw and of t-SNE; the same seed gives the same plane on the same machine.

    Raises:
        NotEnoughDataError: fewer than four instances.
        UsageError: an unknown method.
        MissingExtraError: scikit-learn is not installed.
    """
    if method not in METHODS:
        raise UsageError(f"no map is called {method!r}", expected=f"one of: {', '.join(METHODS)}", where="--map")
    chosen = choose_points(vectors, most, seed)
    rows = np.asarray(vectors.array[chosen.wordings, chosen.examples], dtype=np.float64)
    if len(rows) < MIN_POINTS:
        raise NotEnoughDataError(f"a map of {vectors.task!r} needs at least {MIN_POINTS} vectors", got=f"{len(rows)}")
    plane = plane_of(rows, method, seed)
    return [
        MapPoint(
            vectors.task,
            vectors.num_fewshot,
            method,
            vectors.groups[wording],
            vectors.instructions[wording],
            vectors.example_ids[example],
            float(x),
            float(y),
        )
        for wording, example, (x, y) in zip(chosen.wordings, chosen.examples, plane, strict=True)
    ]


def plane_of(rows: NDArray[np.float64], method: str, seed: int) -> NDArray[np.float64]:
    """Coordinates [n, 2] of vectors [n, width] in a plane.

    Args:
        rows: at least four vectors, of any tasks.
        method: `tsne` or `pca`.
        seed: of t-SNE.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.decomposition import PCA
        from sklearn.manifold import TSNE
    except ImportError:
        raise MissingExtraError("a map of representations", extra="hf", package="scikit-learn") from None
    if rows.shape[1] < 2:
        rows = np.pad(rows, ((0, 0), (0, 2 - rows.shape[1])))
    if not np.ptp(rows, axis=0).any():
        return np.zeros((len(rows), 2))  # all vectors are equal: one place for all
    if method == "pca":
        return PCA(n_components=2, svd_solver="full").fit_transform(rows)
    perplexity = min(PERPLEXITY, (len(rows) - 1) / 3)
    # Wide vectors are first brought down to 50 principal components, as t-SNE's authors do; it keeps distances.
    if rows.shape[1] > 50 and len(rows) > 50:
        rows = PCA(n_components=50, svd_solver="full").fit_transform(rows)
    return TSNE(n_components=2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(rows)


def silhouette_of(vectors: NDArray[np.float64], groups: Sequence[str]) -> float | None:
    """How separate groups of vectors are: the mean silhouette (Rousseeuw 1987), from -1 to 1; 0 where they are mixed.

    Args:
        vectors: [n, width].
        groups: the group of each.

    Returns:
        `None` where there is only one group, or all vectors are equal.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    if len(set(groups)) < 2 or not np.ptp(vectors, axis=0).any():
        return None
    try:
        from sklearn.metrics import silhouette_score
    except ImportError:
        raise MissingExtraError("how separate groups are", extra="hf", package="scikit-learn") from None
    return float(silhouette_score(vectors, list(groups)))
