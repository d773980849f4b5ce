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
    """A percentage with its 95% interval over wordings and inputs."""

    percent: float
    low: float
    high: float


class Figure(NamedTuple):
    """One kind, or all of them.

    Attributes:
        kind: the tasks' category, or `all kinds`.
        first, second: accuracy in percent with the first and the second group of wordings.
        difference: first minus second, in points.
    """

    kind: str
    first: AccuracyInterval
    second: AccuracyInterval
    difference: AccuracyInterval


def figures(run: Run, first: str, second: str, *, seed: int = 0) -> list[Figure]:
    """Accuracy of every kind under two groups of wordings, each kind weighing the same in the last line.

    Intervals are percentiles of a bootstrap. It draws wordings with replacement (the same draw for all tasks of a kind,
    whose wordings differ only in the attribute's name) and inputs within each task (the same draw for both groups).

    Args:
        run: a run of pocket tasks in which every task of a kind has the same wordings, without demonstrations.
        first, second: names of the run's groups, say `observed` and `test`.
        seed: of the bootstrap.

    Raises:
        RunError: the run lacks a group, or is not a full grid.
    """
    scores = _scores(run)
    draw = np.random.default_rng(seed)
    drawn: dict[str, npt.NDArray[np.float64]] = {}
    measured: dict[str, npt.NDArray[np.float64]] = {}
    for category, groups in scores.items():
        if first not in groups or second not in groups:
            raise RunError(
                f"the run has no wordings {first!r} and {second!r} for {category}",
                got=", ".join(groups),
                where=str(run.path),
            )
        pair = groups[first], groups[second]
        measured[category] = np.array([100 * part.mean() for part in pair])
        drawn[category] = np.array([_resampled(pair, draw) for _ in range(_DRAWS)])
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
) -> tuple[float, float]:
    """Mean scores, in percent, of both groups with wordings and inputs drawn with replacement."""
    num_tasks, _, num_inputs = pair[0].shape
    inputs = draw.integers(num_inputs, size=(num_tasks, num_inputs))
    means: list[float] = []
    for part in pair:
        wordings = draw.integers(part.shape[1], size=part.shape[1])
        means.append(100 * float(np.take_along_axis(part[:, wordings], inputs[:, None, :], axis=2).mean()))
    return means[0], means[1]


def _scores(run: Run) -> Mapping[str, Mapping[str, npt.NDArray[np.float64]]]:
    """Category -> group -> scores of shape (tasks, wordings, inputs)."""
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
    except ValueError:
        raise RunError(
            "the run is not a full grid of tasks, wordings and inputs",
            where=str(run.path),
            hint="Run evaluate again to finish it",
        ) from None
