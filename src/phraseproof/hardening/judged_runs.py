"""Trained models next to what costs no training, on the same cells, by the judgement of `reduce`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from phraseproof.analysis.option_values import OptionValues, load_option_values
from phraseproof.analysis.reductions.gains import CONFIDENCE, Gain
from phraseproof.analysis.reductions.judging import (
    JudgedTask,
    JudgedWay,
    Judgement,
    TrainedAnswers,
    overall,
    simultaneous_level,
)
from phraseproof.analysis.reductions.recommendation import Recommendation, recommend
from phraseproof.analysis.reductions.run import fair_values
from phraseproof.analysis.reductions.spreads import WaySpreads, way_spreads
from phraseproof.analysis.reductions.ways import AS_IT_IS, CALIBRATED, WAYS, Access
from phraseproof.errors import NotEnoughDataError
from phraseproof.store.queries import Run


class WordingAccuracy(NamedTuple):
    """The accuracy of one wording that answers by itself.

    Attributes:
        task, category: what it was measured on.
        way: how the model answers.
        wording: its name.
        accuracy: from 0 to 1; with several training seeds, the mean over them.
    """

    task: str
    category: str
    way: str
    wording: str
    accuracy: float


@dataclass(frozen=True, slots=True)
class JudgedRuns:
    """All ways on one set of examples and wordings. The last ways of a task are those of the trained models.

    Attributes:
        name: of the set.
        tasks: with gains over the model as it is, and 95% intervals of each gain by itself.
        over_calibrated: the same with gains over the calibrated model, whose wordings answer by themselves.
        spreads: by way, of those whose wordings answer by themselves, the Std over wordings and the worst wording with
            their intervals: of each task, then of the mean over tasks where there are several.
        wordings: of these ways, the accuracy of every wording on every task.
        free: what is recommended without training, by intervals that hold for all these ways at once.
        runs: of the model as it is, and by name of trained models those of every seed.
    """

    name: str
    tasks: tuple[JudgedTask, ...]
    over_calibrated: tuple[JudgedTask, ...]
    spreads: Mapping[str, tuple[WaySpreads, ...]]
    wordings: tuple[WordingAccuracy, ...]
    free: Recommendation
    base: Run
    trained: Mapping[str, tuple[Run, ...]]

    @property
    def summary(self) -> JudgedTask:
        """The mean over tasks, or the one task."""
        return _summary(self.tasks)

    @property
    def summary_over_calibrated(self) -> JudgedTask:
        """The same with gains over the calibrated model."""
        return _summary(self.over_calibrated)

    def way(self, name: str) -> JudgedWay:
        """One of the summary's ways."""
        return _named(self.summary, name)

    def gain_over_calibrated(self, name: str) -> Gain:
        """The gain of a way over the calibrated model, over examples, wordings and seeds."""
        return _named(self.summary_over_calibrated, name).gain_elsewhere


def judge_runs(
    name: str, base: Run, trained: Mapping[str, Sequence[Run]], *, calibration: str, seed: int
) -> JudgedRuns:
    """Judge the model as it is, its calibration, ensembles and choices of wordings, and trained models.

    Args:
        name: of the set of examples and wordings.
        base: the model as it is.
        trained: by name the runs of every seed, on the same cells.
        calibration: the method of the calibrated ways.
        seed: of folds and halves.

    Raises:
        NotEnoughDataError: a task without options, or with too few wordings or examples.
    """
    values = fair_values(base, Access.LOGPROBS)
    lost = {cell.task for cell in base.cells} - {of.task for of in values}
    if lost:
        raise NotEnoughDataError(
            f"task {min(lost)!r} has no options to choose from, so calibration and ensembles do not apply to it",
            where=str(base.path),
        )
    by_task = {key: [_by_task(run) for run in runs] for key, runs in trained.items()}
    found = [
        Judgement(
            of,
            calibration=calibration,
            seed=seed,
            trained=[
                TrainedAnswers(key, tuple(_same(of, each[of.task]) for each in runs)) for key, runs in by_task.items()
            ],
        )
        for of in values
    ]
    without_training = [
        replace(task, ways=task.ways[: len(WAYS)])
        for task in (each.compared(level=simultaneous_level(len(WAYS))) for each in found)
    ]
    return JudgedRuns(
        name,
        tuple(each.compared(AS_IT_IS, level=CONFIDENCE) for each in found),
        tuple(each.compared(CALIBRATED, level=CONFIDENCE) for each in found),
        _spreads(found, seed),
        tuple(each for of in found for each in _of_wordings(of)),
        recommend(_summary(without_training)),
        base,
        {key: tuple(runs) for key, runs in trained.items()},
    )


def _spreads(found: Sequence[Judgement], seed: int) -> dict[str, tuple[WaySpreads, ...]]:
    levels = [*([task] for task in found), *([found] if len(found) > 1 else [])]
    of_ways = {way.name: [way_spreads(tasks, way.name, seed=seed) for tasks in levels] for way in found[0].ways}
    return {name: tuple(each for each in of if each is not None) for name, of in of_ways.items() if None not in of}


def _of_wordings(of: Judgement) -> Iterator[WordingAccuracy]:
    """Several rows of one wording, such as those of draws of demonstrations, are one mean."""
    values = of.values
    for way in of.ways:
        scores = of.scores(way.name)
        if scores is None:
            continue
        rows = scores.mean(axis=(0, 2))
        for name in dict.fromkeys(values.wordings):
            own = [row for row, each in zip(rows, values.wordings, strict=True) if each == name]
            yield WordingAccuracy(values.task, values.category, way.name, name, float(sum(own) / len(own)))


def _summary(tasks: Sequence[JudgedTask]) -> JudgedTask:
    return overall(tasks) if len(tasks) > 1 else tasks[0]


def _named(task: JudgedTask, name: str) -> JudgedWay:
    (way,) = (each for each in task.ways if each.way.name == name)
    return way


def _by_task(run: Run) -> dict[str, OptionValues]:
    return {of.task: of for of in load_option_values(run)}


def _same(of: OptionValues, other: OptionValues) -> OptionValues:
    """The other values in the rows of these, which leave out control wordings and wordings that are there twice."""
    place = {key: row for row, key in enumerate(zip(other.groups, other.wordings, other.seeds, strict=True))}
    rows = [place[key] for key in zip(of.groups, of.wordings, of.seeds, strict=True)]
    if of.examples == other.examples:
        return other.take(rows)
    column = {example: number for number, example in enumerate(other.examples)}
    return other.take(rows).take_examples([column[example] for example in of.examples])
