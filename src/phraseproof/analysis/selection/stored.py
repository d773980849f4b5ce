"""Choices among the wordings of stored runs: which wordings serve which tasks, and which blocks are compared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from phraseproof.analysis.aggregation import paper_weights
from phraseproof.analysis.causes.run import control_groups, controls_line
from phraseproof.analysis.grids import Floats, TaskGrid, load_grids
from phraseproof.analysis.option_values import Flags
from phraseproof.analysis.selection.candidates import Block, Candidates
from phraseproof.analysis.selection.choice import WordingChoice, choose_among
from phraseproof.analysis.selection.criteria import Objective
from phraseproof.core.classes import shared_options
from phraseproof.errors import NotEnoughDataError, RunError, UsageError
from phraseproof.store.columns import column_values

if TYPE_CHECKING:
    from phraseproof.scoring.metric import Metric
    from phraseproof.store.queries import Run

_FEW_EXAMPLES = 10


class Over(StrEnum):
    """What the blocks are whose worst ones `worst` and `cvar` look at."""

    TASKS = "tasks"
    CLASSES = "classes"
    MODELS = "models"


@dataclass(frozen=True, slots=True, eq=False)
class ScoredTask:
    """One task at one number of demonstrations, under one or several models: M models, W wordings, E examples.

    Attributes:
        keys, wordings, groups: of each wording as in `TaskGrid`; a wording that serves in two groups is there once.
        costs: [W] mean number of tokens of a prompt, over models; `None` where it is not known.
        scores: [M, W, E] in the metric's values.
        classes: of each example the right answer's class; `None` where answers are not classes.
        notes: what was left out.
    """

    task: str
    category: str
    num_fewshot: int
    keys: tuple[str, ...]
    wordings: tuple[str, ...]
    groups: tuple[str, ...]
    costs: Floats | None
    scores: Floats
    classes: tuple[str, ...] | None
    metric: Metric
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class StoredChoice:
    """A choice for one task, or of one wording for several tasks.

    Attributes:
        tasks, category, num_fewshot, metric: what the wordings were scored on.
        wordings, groups: of each candidate, in the order of `found`'s arrays.
        costs: [W] mean number of tokens of a prompt; `None` where it is not known.
        blocks: the names of the blocks that were compared; empty where there is one.
        found: the choice, in values between 0 and 1; `in_metric` converts them.
        notes: what a reader must know.
    """

    tasks: tuple[str, ...]
    category: str
    num_fewshot: int
    metric: Metric
    objective: Objective
    wordings: tuple[str, ...]
    groups: tuple[str, ...]
    costs: Floats | None
    blocks: tuple[str, ...]
    worst_block: str
    scale: tuple[float, float]
    found: WordingChoice
    notes: tuple[str, ...]

    def in_metric(self, value: float) -> float:
        """A value of `found` in the metric's values."""
        worst, best = self.scale
        return worst + value * (best - worst)

    @property
    def cheapest(self) -> int | None:
        """Of the wordings that may be the best, the one with the shortest prompts; `None` where these are not known."""
        if self.costs is None:
            return None
        return int(np.argmin(np.where(self.found.maybe_best, self.costs, np.inf)))


def choose_stored(
    runs: Sequence[Run],
    objective: Objective | None = None,
    *,
    over: Collection[Over] = (),
    tasks: Collection[str] = (),
    seed: int = 0,
) -> tuple[StoredChoice, ...]:
    """Choose among the wordings of runs: one for all tasks where two wordings or more serve all, then one per task.

    Args:
        runs: of several models on the same tasks and wordings; one run of one model is the usual case.
        objective: the criterion. Default: the mean.
        over: what the blocks of `worst` and `cvar` are. Default: tasks if there are several, else the classes of right
            answers; and models if there are several.
        tasks: only these; default: all.
        seed: of resamples and folds.

    Raises:
        NotEnoughDataError: a run was imported; no task has two wordings that all runs scored; fewer than ten examples;
            or the criterion needs blocks and there is only one.
        RunError: a run has a budget, or no cell is done.
        UsageError: no run holds a task of `tasks`, or the runs have different metrics.
    """
    aim = objective or Objective()
    scored = load_scored_tasks(runs, tasks)
    models = _model_names(runs)
    choices: list[StoredChoice] = []
    for _, members in groupby(scored, key=lambda task: task.num_fewshot):
        group = list(members)
        shared = [key for key in group[0].keys if all(key in task.keys for task in group)]
        if len(group) > 1 and len(shared) > 1:
            choices.append(_choose([_only(task, shared) for task in group], aim, over, models, seed))
        choices += [
            _choose([task], aim, over, models, seed)
            for task in group
            # Of several tasks, the worst task is meant, and there is no such thing for one.
            if len(task.keys) > 1 and not (len(group) > 1 and set(over) == {Over.TASKS} and aim.compares_blocks)
        ]
    if not choices:
        raise NotEnoughDataError(
            "nothing to choose: no task has two wordings that were scored",
            where=", ".join(run.name for run in runs),
        )
    return tuple(choices)


def load_scored_tasks(runs: Sequence[Run], tasks: Collection[str] = ()) -> list[ScoredTask]:
    """The tasks that all runs hold, with the wordings and examples that all of them scored.

    Raises:
        as `choose_stored`.
    """
    loaded = [{(grid.task, grid.num_fewshot): grid for grid in _without_controls(run)} for run in runs]
    known = {task for task, _ in loaded[0]}
    for name in tasks:
        if name not in known:
            raise UsageError(
                f"the run holds no task {name!r}", expected=f"one of: {', '.join(sorted(known))}", where="--task"
            )
    found = [
        _scored_task([grids[place] for grids in loaded], runs)
        for place in loaded[0]
        if all(place in grids for grids in loaded) and (not tasks or place[0] in tasks)
    ]
    if not found:
        raise NotEnoughDataError("the runs have no task in common", where=", ".join(run.name for run in runs))
    return found


def _without_controls(run: Run) -> Iterator[TaskGrid]:
    """The grids of a run without the wordings that are meant to fail."""
    controls, line = control_groups(run), controls_line(run)
    for grid in load_grids(run):
        rows = [row for row, group in enumerate(grid.groups) if group not in controls]
        if rows:
            yield replace(grid.take(rows), notes=(*grid.notes, *filter(None, [line])))


def _scored_task(grids: Sequence[TaskGrid], runs: Sequence[Run]) -> ScoredTask:
    first = grids[0]
    if len({grid.metric.name for grid in grids}) > 1:
        raise UsageError(
            "runs with different metrics cannot be compared", got=", ".join(grid.metric.name for grid in grids)
        )
    first.metric.require_mean("the choice of a wording")
    for grid, run in zip(grids, runs, strict=True):
        if grid.scores is None:
            raise NotEnoughDataError(
                "the choice of a wording needs the scores of single examples that all wordings share",
                got=f"{grid.task}: means of wordings only",
                where=run.name,
            )
    keys = [key for key in dict.fromkeys(first.keys) if all(key in grid.keys for grid in grids)]
    examples = [name for name in first.examples if all(name in set(grid.examples) for grid in grids[1:])]
    rows = [first.keys.index(key) for key in keys]
    lost = len(set(first.keys)) - len(keys), len(first.examples) - len(examples)
    notes = [note for grid in grids for note in grid.notes]
    if any(lost):
        notes.append(f"{first.task}: {lost[0]} wordings and {lost[1]} examples are not in every run, and are left out.")
    return ScoredTask(
        first.task,
        first.category,
        first.num_fewshot,
        keys=tuple(keys),
        wordings=tuple(first.wordings[row] for row in rows),
        groups=tuple(first.groups[row] for row in rows),
        costs=_costs(first, rows, runs),
        scores=np.stack([_scores(grid, keys, examples) for grid in grids]),
        classes=_classes(first, examples, runs[0]),
        metric=first.metric,
        notes=tuple(dict.fromkeys(notes)),
    )


def _scores(grid: TaskGrid, keys: Sequence[str], examples: Sequence[str]) -> Floats:
    assert grid.scores is not None, "checked before"
    rows = [grid.keys.index(key) for key in keys]
    if list(grid.examples) == list(examples):
        return grid.scores[rows]
    place = {name: number for number, name in enumerate(grid.examples)}
    return grid.scores[np.ix_(rows, [place[name] for name in examples])]


def _costs(grid: TaskGrid, rows: Sequence[int], runs: Sequence[Run]) -> Floats | None:
    """[W] mean tokens per prompt; `None` where a run does not know them."""
    found: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        cells = [cell for cell in run.cells if (cell.task, cell.num_fewshot) == (grid.task, grid.num_fewshot)]
        for cell, table in run.read_cells(("prompt_tokens",), only=cells):
            tokens = np.asarray(column_values(table["prompt_tokens"].fill_null(0)), dtype=np.float64)
            found.setdefault((cell.group, cell.instruction), []).append(float(tokens.mean()))
    costs = np.array([float(np.mean(found[grid.groups[row], grid.wordings[row]])) for row in rows])
    return costs if np.all(costs > 0) else None


def _classes(grid: TaskGrid, examples: Sequence[str], run: Run) -> tuple[str, ...] | None:
    """The text of each example's right answer, where all examples choose among the same texts."""
    cell = next(
        cell
        for cell in run.cells
        if (cell.task, cell.num_fewshot) == (grid.task, grid.num_fewshot) and cell not in set(run.missing)
    )
    ((_, table),) = run.read_cells(("example_id", "options", "target"), only=[cell])
    if table["options"].null_count or table["target"].null_count:
        return None
    options: list[list[str]] = table["options"].to_pylist()
    if not options or shared_options(options) is None:
        return None
    right: dict[str, str] = {
        name: texts[target]
        for name, texts, target in zip(
            table["example_id"].to_pylist(), options, table["target"].to_pylist(), strict=True
        )
    }
    return tuple(right[name] for name in examples)


def _only(task: ScoredTask, keys: Iterable[str]) -> ScoredTask:
    return _take(task, [task.keys.index(key) for key in keys])


def _take(task: ScoredTask, rows: Sequence[int]) -> ScoredTask:
    return ScoredTask(
        task.task,
        task.category,
        task.num_fewshot,
        keys=tuple(task.keys[row] for row in rows),
        wordings=tuple(task.wordings[row] for row in rows),
        groups=tuple(task.groups[row] for row in rows),
        costs=None if task.costs is None else task.costs[list(rows)],
        scores=task.scores[:, list(rows)],
        classes=task.classes,
        metric=task.metric,
        notes=task.notes,
    )


def _choose(
    tasks: Sequence[ScoredTask], aim: Objective, over: Collection[Over], models: Sequence[str], seed: int
) -> StoredChoice:
    costs = _mean_costs(tasks)
    names = tasks[0].wordings
    # Of equal wordings, the first one is chosen: the one with the shortest prompts.
    order = sorted(range(len(names)), key=lambda row: (0.0 if costs is None else float(costs[row]), names[row]))
    tasks = [_take(task, order) for task in tasks]
    names, costs = tasks[0].wordings, _mean_costs(tasks)
    worst, best = _range(tasks)
    blocks = _blocks(tasks, aim, over, models, worst, best)
    if aim.compares_blocks and len(blocks) < 2:
        raise NotEnoughDataError(
            f"the criterion '{aim.criterion}' compares several tasks, answer classes or models, and there is only one",
            got=f"{tasks[0].task}: {'no answer classes' if tasks[0].classes is None else 'one block'}",
            hint="Use --criterion mean or lower-bound, give several runs, or an --over that has several",
        )
    candidates = Candidates(names, blocks)
    found = choose_among(candidates, aim, seed=seed)
    lowest = int(np.argmin(candidates.means[:, found.best]))
    notes = [note for task in tasks for note in task.notes]
    small = [block.name for block in blocks if block.scores.shape[1] < _FEW_EXAMPLES]
    if small and aim.compares_blocks:
        notes.append(
            f"Fewer than {_FEW_EXAMPLES} examples in {len(small)} of {len(blocks)} blocks ({', '.join(small[:3])}): "
            "which wordings may be the best is known roughly; the bounds hold."
        )
    return StoredChoice(
        tuple(task.task for task in tasks),
        tasks[0].category if len({task.category for task in tasks}) == 1 else "",
        tasks[0].num_fewshot,
        tasks[0].metric,
        aim,
        wordings=names,
        groups=tasks[0].groups,
        costs=costs,
        blocks=tuple(block.name for block in blocks) if len(blocks) > 1 else (),
        worst_block=blocks[lowest].name if len(blocks) > 1 else "",
        scale=(worst, best),
        found=found,
        notes=tuple(dict.fromkeys(notes)),
    )


def _mean_costs(tasks: Sequence[ScoredTask]) -> Floats | None:
    known = [task.costs for task in tasks if task.costs is not None]
    return np.stack(known).mean(axis=0) if len(known) == len(tasks) else None


def _range(tasks: Sequence[ScoredTask]) -> tuple[float, float]:
    """The worst and the best value of an example: the metric's, or the observed ones of a metric without limits."""
    metric = tasks[0].metric
    low = metric.low if np.isfinite(metric.low) else min(float(task.scores.min()) for task in tasks)
    high = metric.high if np.isfinite(metric.high) else max(float(task.scores.max()) for task in tasks)
    if any(task.scores.min() < low - 1e-9 or task.scores.max() > high + 1e-9 for task in tasks):
        raise RunError(f"scores of the metric {metric.name!r} are outside its range", expected=f"{low:g} to {high:g}")
    high = high if high > low else low + 1.0
    return (low, high) if metric.higher_is_better else (high, low)


def _blocks(
    tasks: Sequence[ScoredTask],
    aim: Objective,
    over: Collection[Over],
    models: Sequence[str],
    worst: float,
    best: float,
) -> tuple[Block, ...]:
    wanted = set(over) if aim.compares_blocks else set[Over]()
    if aim.compares_blocks and not wanted:
        wanted = {Over.TASKS if len(tasks) > 1 else Over.CLASSES, Over.MODELS}
    weights = paper_weights([task.category for task in tasks])
    found: list[Block] = []
    stratum = 0
    for task, weight in zip(tasks, weights, strict=True):
        scores = (task.scores - worst) / (best - worst)
        by_model = (
            list(zip(models, scores, strict=True))
            if Over.MODELS in wanted and len(models) > 1
            else [("", scores.mean(axis=0))]
        )
        for name, places in _parts(task, by_class=Over.CLASSES in wanted):
            size = float(places.mean()) * weight / len(by_model)
            for model, of_model in by_model:
                said = [task.task if len(tasks) > 1 else "", name, model]
                found.append(Block(", ".join(filter(None, said)), stratum, of_model[:, places], size))
            stratum += 1
    return tuple(found)


def _parts(task: ScoredTask, *, by_class: bool) -> list[tuple[str, Flags]]:
    """The parts of a task's examples, each with a name and which examples it holds."""
    count = task.scores.shape[2]
    if not by_class or task.classes is None:
        return [("", np.ones(count, dtype=bool))]
    classes = np.array(task.classes, dtype=object)
    return [(name, classes == name) for name in dict.fromkeys(task.classes)]


def _model_names(runs: Sequence[Run]) -> list[str]:
    """The models' names, or those of the folders where two runs are of one model."""
    identities = [run.settings.get("model") for run in runs]
    names = [str(model["name"]) if isinstance(model, dict) and model.get("name") else "" for model in identities]
    is_clear = all(names) and len(set(names)) == len(names)
    return names if is_clear else [run.path.name for run in runs]
