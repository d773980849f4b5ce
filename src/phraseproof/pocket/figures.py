"""The figures of a pocket model: accuracy per kind under observed and test wordings, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from phraseproof.errors import RunError

if TYPE_CHECKING:
    import numpy.typing as npt

    from phraseproof.store.queries import Run

OVERALL = "all kinds"
_DRAWS = 2000
_LEVELS = (2.5, 97.5)


class AccuracyInterval(NamedTuple):
    """A percentage with its 95% interval over wordings and questions."""

    percent: float
    low: float
    high: float


class Figure(NamedTuple):
    """The accuracy for one kind of task, or the mean over all kinds.

    Attributes:
        kind: the category of the tasks, or `all kinds`.
        first, second: accuracy in percent under the first and the second group of wordings.
        difference: first minus second, in points.
    """

    kind: str
    first: AccuracyInterval
    second: AccuracyInterval
    difference: AccuracyInterval


def figures(run: Run, first: str, second: str, *, seed: int = 0) -> list[Figure]:
    """Accuracy of each kind under two groups of wordings. The last row is the unweighted mean over kinds.

    Intervals are the 2.5th and 97.5th percentiles of a bootstrap with 2,000 draws. It resamples wordings (the same draw
    for all tasks of a kind, whose wordings differ only in the name of the attribute) and questions within each task
    (the same draw for both groups).

    Args:
        run: a run of pocket tasks, in which all tasks of a kind have the same wordings. Demonstrations are left out.
        first, second: names of groups of the run, such as `observed` and `test`.
        seed: the seed of the bootstrap.

    Raises:
        RunError: the run has no such group, or is not a full grid.
    """
    scores = _scores(run)
    draw = np.random.default_rng(seed)
    drawn: dict[str, npt.NDArray[np.float64]] = {}
    measured: dict[str, npt.NDArray[np.float64]] = {}
    for category, groups in scores.items():
        if first not in groups or second not in groups:
            raise RunError(
                f"the run does not have both groups of wordings for {category}",
                expected=f"{first}, {second}",
                got=", ".join(groups),
                where=str(run.path),
            )
        pair = groups[first], groups[second]
        measured[category] = np.array([100 * part.mean() for part in pair])
        drawn[category] = _resampled(pair, draw)
    measured[OVERALL] = np.mean(list(measured.values()), axis=0)
    drawn[OVERALL] = np.mean(list(drawn.values()), axis=0)
    return [_figure(kind, measured[kind], drawn[kind]) for kind in measured]


def _figure(kind: str, measured: npt.NDArray[np.float64], drawn: npt.NDArray[np.float64]) -> Figure:
    def interval(value: float, values: npt.NDArray[np.float64]) -> AccuracyInterval:
        low, high = np.percentile(values, _LEVELS)
        return AccuracyInterval(float(value), float(low), float(high))

    return Figure(
        kind,
        interval(measured[0], drawn[:, 0]),
        interval(measured[1], drawn[:, 1]),
        interval(measured[0] - measured[1], drawn[:, 0] - drawn[:, 1]),
    )


def _resampled(
    pair: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]], draw: np.random.Generator
) -> npt.NDArray[np.float64]:
    """[draws, 2] mean scores of both groups in percent, for draws of wordings and questions with replacement."""
    num_tasks, _, num_inputs = pair[0].shape
    inputs = np.empty((_DRAWS, num_tasks, num_inputs), dtype=np.int64)
    wordings = tuple(np.empty((_DRAWS, part.shape[1]), dtype=np.int64) for part in pair)
    for number in range(_DRAWS):
        inputs[number] = draw.integers(num_inputs, size=(num_tasks, num_inputs))
        for of_group in wordings:
            of_group[number] = draw.integers(of_group.shape[1], size=of_group.shape[1])
    asked = _counts(inputs)
    sums = [
        (np.tensordot(_counts(of_group), part, axes=(1, 1)) * asked).sum(axis=(1, 2)) / part.size
        for of_group, part in zip(wordings, pair, strict=True)
    ]
    return 100 * np.stack(sums, axis=1)


def _counts(indices: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """How often each index occurs in a row of `indices`, whose rows have as many entries as there are indices."""
    size = indices.shape[-1]
    rows = indices.reshape(-1, size)
    places = rows + size * np.arange(len(rows))[:, None]
    return np.bincount(places.ravel(), minlength=rows.size).reshape(indices.shape).astype(np.float64)


def _scores(run: Run) -> Mapping[str, Mapping[str, npt.NDArray[np.float64]]]:
    """Scores by category and group, as arrays of shape (tasks, wordings, questions)."""
    rows: list[dict[str, Any]] = run.query(
        """
        SELECT category, "group", task, instruction, list(score ORDER BY example_id) AS scores
        FROM outcomes WHERE num_fewshot = 0 GROUP BY ALL ORDER BY category, "group", task, instruction
        """
    ).to_pylist()
    found: dict[str, dict[str, dict[str, list[list[float]]]]] = {}
    for row in rows:
        group = found.setdefault(row["category"], {}).setdefault(row["group"], {})
        group.setdefault(row["task"], []).append(row["scores"])
    try:
        return {
            category: {name: np.array(list(tasks.values()), dtype=np.float64) for name, tasks in groups.items()}
            for category, groups in found.items()
        }
    except ValueError:  # numpy refuses lists of different lengths
        raise RunError(
            "the run is not a full grid of tasks, wordings and questions",
            where=str(run.path),
            hint="Run `phraseproof evaluate` again to complete it",
        ) from None
