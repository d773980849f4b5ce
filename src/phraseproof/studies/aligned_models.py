"""What studies of alignment read: the run of a base model, and those of the models that trainings made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.analysis.aggregation import Level
from phraseproof.analysis.grids import load_grids
from phraseproof.analysis.paired import ComparisonRow, RunComparison, compare_runs
from phraseproof.analysis.result_rows import finding_row, place_of
from phraseproof.analysis.significance.paired_t import paired_t_test
from phraseproof.errors import NotEnoughDataError
from phraseproof.reports.build.text import short_model_name
from phraseproof.store.queries import load_run
from phraseproof.store.training_record import read_record
from phraseproof.studies.alignment_step import AlignedEvaluation, AlignmentStep
from phraseproof.studies.measured import MeasuredGroups, measure, two_groups

if TYPE_CHECKING:
    from phraseproof.analysis.results import ResultRow
    from phraseproof.core import Finding
    from phraseproof.store.queries import Run
    from phraseproof.studies.study import Step

AVERAGE = "average"
"""The mean of both groups of wordings, each counting half."""

FROM_BASE = "difference from the base"

_ABBREVIATIONS = frozenset(("pt", "ft", "lora", "dora", "kl", "js", "paft", "mse"))
_BENCHMARKS = {"mmlu": "MMLU", "bbl": "BBL"}


@dataclass(frozen=True)
class AlignedModel:
    """A model that a training made of a base model.

    Attributes:
        name: of the training, as tables show it: its method, or what else tells it from others.
        label: the name, with the seed where there are several.
        method: as `align` names it, or the name of a given run.
        seed: of the training.
        found: its groups of wordings.
        base: those of the base model.
        comparison: aligned minus base, paired, with crossed intervals.
        training: what made it; `None` for a given run.
    """

    name: str
    label: str
    method: str
    seed: int
    found: MeasuredGroups
    base: MeasuredGroups
    comparison: RunComparison
    training: AlignmentStep | None = None

    def gain(self, name: str, group: str) -> Finding | None:
        """Aligned minus base with its interval over wordings and examples; `None` where a group lacks.

        Args:
            name: of a task, a benchmark or category, or `Overall`.
            group: of wordings, or `AVERAGE`.
        """
        row = next((row for row in self._rows() if row.name == name), None)
        if row is None:
            return None
        return row.balanced if group == AVERAGE else row.groups.get(group)

    def test(self, group: str) -> Finding | None:
        """The paired t-test of the paper over tasks; `None` with fewer than two tasks.

        Args:
            group: of wordings, or `AVERAGE`.
        """
        before, after = (task_means(found, group) for found in (self.base, self.found))
        shared = [task for task in before if task in after]
        try:
            return paired_t_test(
                [before[task] for task in shared],
                [after[task] for task in shared],
                name=f"{group}, aligned minus base",
                width=self.found.metric.width,
            )
        except NotEnoughDataError:
            return None

    def result_rows(self) -> Iterator[ResultRow]:
        """Means, Stds and gains with their intervals, and the tests over tasks."""
        source, unit = self.found.source, self.found.source.difference_unit()
        yield from self.found.result_rows()
        for row in self._rows():
            for group, finding in (*row.groups.items(), ("", row.balanced)):
                yield finding_row(source, place_of(row.level, row.name, row.category, group), FROM_BASE, finding, unit)
        for group in (*self.found.groups, AVERAGE):
            if (tested := self.test(group)) is not None:
                place = place_of(Level.OVERALL, "", "", "" if group == AVERAGE else group)
                yield finding_row(source, place, f"{FROM_BASE} over tasks", tested, unit)

    def _rows(self) -> Iterator[ComparisonRow]:
        yield from (*self.comparison.tasks, *self.comparison.categories, self.comparison.overall)


@dataclass(frozen=True)
class AlignedModels:
    """A base model, and what trainings made of it, in the order of the plan."""

    base: MeasuredGroups
    aligned: tuple[AlignedModel, ...]

    @property
    def name(self) -> str:
        """The base model's name, short."""
        return short_model_name(self.base.model)

    @property
    def categories(self) -> tuple[str, ...]:
        """The names of the benchmarks, or of what else tasks are averaged into."""
        return tuple(row.name for row in self.base.summary.categories)

    def of(self, method: str) -> tuple[AlignedModel, ...]:
        """What one method made, by seed."""
        return tuple(each for each in self.aligned if each.method == method)


def aligned_models(
    steps: Sequence[Step],
    *,
    seed: int = 0,
    category: Callable[[str, str], str] | None = None,
    groups: Callable[[Run], Sequence[str]] = two_groups,
) -> list[AlignedModels]:
    """Read the runs of steps: each evaluation of a base model, and the aligned ones that follow it.

    Without an aligned one, the first run is that of the base model, and all others are of models made of it.

    Args:
        steps: of a plan; trainings and other steps are passed over.
        seed: of the resampling.
        category: what a task with its category is averaged into; by default `benchmark`.
        groups: the groups of wordings of the base model's run that are read, the reference first.

    Raises:
        NotEnoughDataError: there is one run, one lacks a group of wordings, or two have no wording in common.
        RunError: no cell of a run is done, or one is damaged.
    """
    reading = _Reading(category or benchmark, groups, seed)
    evaluations = [step for step in steps if isinstance(step, AlignedEvaluation)]
    if not evaluations:
        base, *others = [load_run(folder) for folder in dict.fromkeys(step.folder for step in steps)]
        if not others:
            raise NotEnoughDataError(
                "the study compares a model with models that were made of it",
                expected="--run BASE --run ALIGNED",
                got=str(base.path),
                where="--run",
            )
        measured = reading.measured(base)
        return [AlignedModels(measured, tuple(reading.aligned(measured, run) for run in others))]
    found: list[AlignedModels] = []
    for folder in dict.fromkeys(step.base.folder for step in evaluations):
        own = [step for step in evaluations if step.base.folder == folder]
        seeds = {step.training.settings.seed for step in own}
        measured = reading.measured(load_run(folder))
        made = tuple(
            reading.aligned(measured, load_run(step.folder), training=step.training, several=len(seeds) > 1)
            for step in {step.folder: step for step in own}.values()
        )
        found.append(AlignedModels(measured, made))
    return found


def benchmark(task: str, category: str) -> str:
    """The benchmark of a task, as in Table 7: `BBL` of `bbl/winowhy`; the category of a task with a plain name."""
    first, slash, _ = task.partition("/")
    return _BENCHMARKS.get(first, first if slash and first else category)


def method_label(method: str) -> str:
    """A method as the paper writes it: `PT+KL`, `PT+contrastive`."""
    return "+".join(part.upper() if part in _ABBREVIATIONS else part for part in method.split("+"))


def task_means(found: MeasuredGroups, group: str) -> dict[str, float]:
    """The mean of each task that has the group, or both groups for `AVERAGE`."""
    means: dict[str, float] = {}
    for row in found.summary.tasks:
        wanted = found.groups if group == AVERAGE else (group,)
        if all(name in row.groups for name in wanted):
            means[row.name] = fmean(row.groups[name].mean for name in wanted)
    return means


def training_notes(found: Sequence[AlignedModel]) -> list[str]:
    """What was trained on what, and by which settings; and the notes of runs that are not those of the base model."""
    notes: list[str] = []
    for each in found:
        notes += [f"{each.label}: {note}" for note in each.found.notes if note not in each.base.notes]
        if each.training is None:
            continue
        record = read_record(each.training.folder) or {}
        settings = each.training.settings
        result, used = record.get("result", {}), record.get("settings", {})
        rate = used.get("learning_rate", settings.learning_rate)
        weight = f", λ {settings.lambda_:g}" if settings.method not in {"pt", "ft", "lora", "dora"} else ""
        notes += each.training.notes
        length = _length(result.get("steps"), each.training)
        notes.append(f"{each.label}: {length}, learning rate {rate:g}{weight}")
    return notes


def _length(steps: int | None, training: AlignmentStep) -> str:
    """How long a training was: a batch is one pair, so passes tell how often each was read."""
    batches = training.settings.gradient_accumulation
    per_step = f"{batches} batch" if batches == 1 else f"{batches} batches"
    passes = "" if steps is None else f" ({steps * batches / len(training.pairs):.1f} passes through the pairs)"
    return f"{'?' if steps is None else steps} steps of {per_step}{passes}"


class _Reading(NamedTuple):
    """How runs are read: the arguments of `aligned_models`."""

    category: Callable[[str, str], str]
    groups: Callable[[Run], Sequence[str]]
    seed: int

    def measured(self, run: Run) -> MeasuredGroups:
        moved = {score.task: self.category(score.task, score.category) for score in run.wording_scores()}
        return measure(run, self.groups(run), categories=moved, seed=self.seed)

    def aligned(
        self, base: MeasuredGroups, run: Run, *, training: AlignmentStep | None = None, several: bool = False
    ) -> AlignedModel:
        found = self.measured(run)
        grids = [
            [replace(grid, category=self.category(grid.task, grid.category)) for grid in load_grids(each.run)]
            for each in (base, found)
        ]
        comparison, *_ = compare_runs(*grids, seed=self.seed)
        if training is None:
            given = run.path.name
            return AlignedModel(given, given, given, 0, found, base, comparison)
        method, drawn = training.settings.method, training.settings.seed
        name = training.label or method_label(method)
        label = f"{name}, seed {drawn}" if several else name
        return AlignedModel(name, label, method, drawn, found, base, comparison, training)
