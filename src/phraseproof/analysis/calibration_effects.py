"""What a calibration does to accuracy, its spread over wordings and its worst wording, and whether it does harm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.aggregation import Level, paper_weights
from phraseproof.analysis.estimators.crossed import Sample, Term, crossed_mean, draw_samples
from phraseproof.analysis.estimators.extremes import wilson
from phraseproof.analysis.estimators.measures import Measured, compute, measure
from phraseproof.analysis.estimators.resampling import RESAMPLES, Resampler
from phraseproof.analysis.grids import Floats, TaskGrid
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.analysis.score_table import ScoreTable
from phraseproof.core import Finding
from phraseproof.errors import NotEnoughDataError

STATISTICS = ("mean", "std", "worst")
_ALL = "all wordings"
_LARGE = 0.1
"""A class is large if its share of the right answers is surely more than this above the assumed one."""
_NORMAL_95 = 1.96


class Imbalance(NamedTuple):
    """The class that is right more often than calibration assumes.

    Attributes:
        name: of the class.
        share: of the right answers.
        assumed: the share that blind guessing gives, which a correction by the run's own examples assumes.
    """

    name: str
    share: float
    assumed: float


@dataclass(frozen=True, slots=True)
class Effect:
    """A method's effect on a task, or overall.

    Attributes:
        before, after: by statistic (`mean`, `std`, `worst`), over all wordings; without those that there is not enough
            data for.
        gain: the mean after minus the mean before, with its interval over wordings and examples.
    """

    method: str
    level: Level
    name: str
    num_fewshot: int
    before: Mapping[str, Finding]
    after: Mapping[str, Finding]
    gain: Finding

    @property
    def does_harm(self) -> bool:
        """Whether the whole interval of the gain is below zero."""
        return self.gain.high is not None and self.gain.high < 0


def effects(
    tasks: Sequence[OptionValues],
    corrected: Mapping[str, Sequence[Floats]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> tuple[Effect, ...]:
    """The effects of methods: per number of demonstrations and method the tasks, then, of several, all together.

    Args:
        tasks: as `load_option_values` gives them.
        corrected: by method the corrected log-probabilities [R, E, C] of each task.
        seed, resamples: of the crossed bootstrap.
    """
    found: list[Effect] = []
    for shots in sorted({values.num_fewshot for values in tasks}):
        places = [place for place, values in enumerate(tasks) if values.num_fewshot == shots]
        before = [_grid(tasks[place], tasks[place].values) for place in places]
        measured = _measured(before, Resampler(seed, resamples))
        for method, of_tasks in corrected.items():
            after = [_grid(tasks[place], of_tasks[place]) for place in places]
            # Every method meets the same resamples, so that their gains compare.
            found += _of_method(method, before, after, measured, Resampler(seed, resamples))
    return tuple(found)


def _of_method(
    method: str,
    before: Sequence[TaskGrid],
    after: Sequence[TaskGrid],
    measured: Sequence[Measured],
    resampler: Resampler,
) -> list[Effect]:
    differences = [_sample(later.minus(earlier), resampler) for earlier, later in zip(before, after, strict=True)]
    measured_after = _measured(after, resampler)

    def effect(level: Level, name: str, places: Sequence[int]) -> Effect:
        return Effect(
            method,
            level,
            name,
            before[0].num_fewshot,
            _statistics([measured[place] for place in places]),
            _statistics([measured_after[place] for place in places]),
            _gain([differences[place] for place in places]),
        )

    rows = [effect(Level.TASK, grid.task, [place]) for place, grid in enumerate(before)]
    return [*rows, effect(Level.OVERALL, "Overall", range(len(before)))] if len(before) > 1 else rows


def imbalance(values: OptionValues) -> Imbalance | None:
    """The class that is right much more often than blind guessing would choose it; `None` if there is none.

    Labels are compared with what the correction assumes. They are never used to correct. A class is reported if the
    lower end of the 95% interval of its share (Wilson) is more than 10 percentage points above the assumed share.
    """
    worst: tuple[float, Imbalance | None] = (0.0, None)
    targets, options = values.targets, values.has_option.sum(axis=1)
    distinct = {(values.class_names[row], values.classes[row].tobytes()): row for row in range(len(values.wordings))}
    for row in distinct.values():
        classes = values.classes[row]
        right = classes[np.arange(len(targets)), targets]
        for number, name in enumerate(values.class_names[row]):
            share = float(np.mean(right == number))
            assumed = float(np.mean((classes == number).any(axis=1) / options))
            lowest = float(wilson(share, len(targets), _NORMAL_95)[0])
            if lowest - assumed > max(_LARGE, worst[0]):
                worst = lowest - assumed, Imbalance(name, share, assumed)
    return worst[1]


def _grid(values: OptionValues, logprobs: Floats) -> TaskGrid:
    """The scores of wordings, averaged over demonstration seeds; all wordings are one group."""
    found = scores(logprobs, values)
    rows: dict[tuple[str, str], list[int]] = {}
    for row, name in enumerate(zip(values.groups, values.wordings, strict=True)):
        rows.setdefault(name, []).append(row)
    per_wording = np.stack([found[of_wording].mean(axis=0) for of_wording in rows.values()])
    return TaskGrid(
        values.task,
        values.category,
        values.num_fewshot,
        groups=(_ALL,) * len(rows),
        wordings=tuple(name for _, name in rows),
        keys=tuple(f"{group}\0{name}" for group, name in rows),
        means=per_wording.mean(axis=1),
        examples=values.examples,
        table=ScoreTable(per_wording),
    )


def _sample(grid: TaskGrid, resampler: Resampler) -> Sample:
    return draw_samples(grid, resampler)[_ALL]


def _measured(grids: Sequence[TaskGrid], resampler: Resampler) -> list[Measured]:
    return [measure(_sample(grid, resampler), None) for grid in grids]


def _statistics(parts: Sequence[Measured]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for name in STATISTICS:
        try:
            found[name] = compute(name, parts)
        except NotEnoughDataError:
            continue
    return found


def _gain(samples: Sequence[Sample]) -> Finding:
    weights = paper_weights([sample.grid.category for sample in samples])
    terms = [Term(sample, weight) for sample, weight in zip(samples, weights, strict=True)]
    return crossed_mean(terms, name="after minus before", is_difference=True)
