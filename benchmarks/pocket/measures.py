"""What is measured of an aligned pocket model, and the tables' rows: gains over another model, with their intervals.

An interval over wordings and questions is the crossed bootstrap of `phraseproof compare`, seeds averaged first: it is
about other wordings and questions. An interval over seeds is Student's t of the seeds' own gains: it is about other
orders of the training data. `gain_over_all` adds up the variances of both. None is about other base models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.paired import compare_runs
from phraseproof.analysis.reductions.gains import CONFIDENCE, NOTHING, Gain, Variance, gain_of
from phraseproof.analysis.score_table import ScoreTable
from phraseproof.core import Example, Finding, Instruction, OptionScores, Prompt, ScoresOptions, Task
from phraseproof.instructions.collections import Collection, instructions_for, load_collection
from phraseproof.instructions.perturb import negated
from phraseproof.instructions.render import build_prompt
from phraseproof.instructions.template import compile_instruction
from phraseproof.models import ModelOptions, load_model
from phraseproof.pocket.mitigation import KEPT_OUT
from phraseproof.scoring.registry import scorer
from phraseproof.tasks import load_tasks

OBSERVED, UNOBSERVED = "observed", "unobserved"
RULE_NEGATED = "negated by rule"
CLOSER_LOOK = ("closest", "incorrect", "negated", "nonsensical")
Integers: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"
Grids = tuple[TaskGrid, ...]


class Column(NamedTuple):
    """One reported figure of a model: a mean over some tasks under one group of wordings."""

    name: str
    group: str
    fits: Callable[[TaskGrid], bool] = lambda _: True


def is_kept_out(grid: TaskGrid) -> bool:
    return grid.task.rpartition("-")[2] in KEPT_OUT


def of_kind(kind: str) -> Callable[[TaskGrid], bool]:
    return lambda grid: grid.category == kind


GAINS = (
    Column("observed", OBSERVED),
    Column("unobserved", UNOBSERVED),
    Column("tasks kept out", UNOBSERVED, is_kept_out),
    *(Column(kind, UNOBSERVED, of_kind(kind)) for kind in ("Pocket-QA", "Pocket-MC", "Pocket-BC")),
)
LOOKED_AT = tuple(Column(group, group) for group in (*CLOSER_LOOK, RULE_NEGATED))
"""The closer look; "negated by rule" are the unobserved wordings, with a negation put in by `instructions perturb`."""


class Asked(NamedTuple):
    """What every model answers: a task's questions in the wordings of one group.

    Attributes:
        names: of the wordings.
        prompts: for each wording, one for each of the task's examples.
    """

    group: str
    task: Task
    names: tuple[str, ...]
    prompts: tuple[tuple[Prompt, ...], ...]


def asked(
    unobserved: str, *, limit: int, observed_limit: int, closer_look: bool, before: str = ""
) -> tuple[Asked, ...]:
    """All questions, for each group of wordings and each of the pocket's tasks.

    Args:
        unobserved: the collection of unobserved wordings.
        limit: questions of each task in unobserved wordings.
        observed_limit: questions of each task in all others.
        closer_look: without it, only what settings may be chosen by: no wording of the closer look.
        before: is put in front of every wording.
    """
    collection = load_collection(unobserved)
    groups = {
        OBSERVED: load_collection("pocket-observed"),
        UNOBSERVED: collection,
        RULE_NEGATED: replace(collection, instructions=negated(collection).instructions),
    }
    if closer_look:
        groups |= {name: load_collection(f"pocket-{name}") for name in CLOSER_LOOK}
    found: list[Asked] = []
    for group, wordings in groups.items():
        asked_here = slice(limit if group == UNOBSERVED else observed_limit)
        found += questions(group, wordings, asked_here, before=before)
    return tuple(found)


def questions(group: str, wordings: Collection, examples: slice, *, before: str = "") -> list[Asked]:
    """These questions of each of the pocket's tasks, in the wordings of a collection."""
    found: list[Asked] = []
    for task in load_tasks(["pocket"]):
        part = replace(task, examples=task.examples[examples])
        served = instructions_for(wordings, task)
        prompts = tuple(_prompts(replace(item, ask=f"{before}{item.ask}"), part.examples) for item in served)
        found.append(Asked(group, part, tuple(item.name for item in served), prompts))
    return found


def _prompts(wording: Instruction, examples: Sequence[Example]) -> tuple[Prompt, ...]:
    compiled = compile_instruction(wording)
    return tuple(build_prompt(compiled, each, demonstrations=(), prompt_format="plain") for each in examples)


def measure(model: str, adapter: Path | None, everything: Sequence[Asked], kept: Path) -> Grids:
    """Scores of a model, a grid for each task and group.

    Its choices are kept in the file `kept` and not in a run folder, whose file for each task and wording would take
    longer to write than these small models take to answer.
    """
    if not kept.exists():
        loaded = load_model(model, ModelOptions(adapter=adapter))
        assert isinstance(loaded, ScoresOptions), "a pocket model"
        flat = [prompt for each in everything for prompts in each.prompts for prompt in prompts]
        found = iter(loaded.score_options(flat))
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(f"{kept.name}.unfinished")
        with unfinished.open("wb") as stream:
            choices = {f"choices_{number}": _choices(each, found) for number, each in enumerate(everything)}
            np.savez(stream, allow_pickle=False, **choices)
        unfinished.replace(kept)
    with np.load(kept, allow_pickle=False) as choices:
        return tuple(_grid(each, choices[f"choices_{number}"]) for number, each in enumerate(everything))


def _choices(each: Asked, found: Iterator[OptionScores]) -> Integers:
    """[W, E]: the index of the option that is chosen."""
    choose = scorer("loglikelihood").choose
    return np.array([[choose(next(found).logprobs, prompt.options) for prompt in row] for row in each.prompts])


def _grid(each: Asked, choices: Integers) -> TaskGrid:
    credit = [example.option_scores for example in each.task.examples]
    scores = np.array([[of[option] for of, option in zip(credit, row, strict=True)] for row in choices], dtype=float)
    return TaskGrid(
        task=each.task.name,
        category=each.task.category,
        num_fewshot=0,
        groups=(each.group,) * len(each.names),
        wordings=each.names,
        keys=each.names,
        means=scores.mean(axis=1),
        examples=tuple(example.id for example in each.task.examples),
        table=ScoreTable(scores),
    )


def averaged(runs: Sequence[Grids]) -> Grids:
    """The mean over seeds of every score."""
    found: list[TaskGrid] = []
    for same in zip(*runs, strict=True):
        scores = np.mean([grid.scores for grid in same if grid.scores is not None], axis=0)
        found.append(replace(same[0], table=ScoreTable(scores), means=scores.mean(axis=1), answers=None))
    return tuple(found)


def chosen(grids: Grids, column: Column) -> Grids:
    return tuple(grid for grid in grids if grid.groups[0] == column.group and column.fits(grid))


def mean_percent(grids: Grids, column: Column) -> float:
    return 100 * float(np.mean([grid.means.mean() for grid in chosen(grids, column)]))


def gain(before: Grids, after: Grids, column: Column) -> Finding:
    """After minus before, with the interval over wordings and questions."""
    (found,) = compare_runs(chosen(before, column), chosen(after, column))
    return found.overall.all


def gain_over_all(before: Sequence[Grids], after: Sequence[Grids], column: Column) -> Gain:
    """After minus before, with an interval over wordings, questions and seeds.

    Args:
        before: one for each seed, or one for all.
        after: one for each seed.
    """
    found = gain(averaged(before), averaged(after), column)
    crossed = NOTHING
    if found.standard_error and found.degrees_of_freedom:
        crossed = Variance(found.standard_error**2, found.degrees_of_freedom)
    return gain_of([value / 100 for value in _of_seeds(before, after, column)], crossed, NOTHING, CONFIDENCE)


def _of_seeds(before: Sequence[Grids], after: Sequence[Grids], column: Column) -> list[float]:
    """After minus before of each seed, in points."""
    first = [mean_percent(grids, column) for grids in before] * (len(after) if len(before) == 1 else 1)
    second = [mean_percent(grids, column) for grids in after]
    return [late - early for early, late in zip(first, second, strict=True)]


def in_points(found: Finding | Gain) -> str:
    if found.low is None or found.high is None:
        return f"{100 * found.estimate:+.1f}"
    return f"{100 * found.estimate:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def over_seeds(before: Sequence[Grids], after: Sequence[Grids], column: Column) -> str:
    """After minus before of each seed, as a mean with Student's t interval.

    Args:
        before: one for each seed, or one for all.
    """
    from scipy import stats

    gains = np.array(_of_seeds(before, after, column))
    if len(gains) < 2:
        return f"{gains.mean():+.1f}"
    reach = stats.t.ppf(0.975, len(gains) - 1) * stats.sem(gains)
    return f"{gains.mean():+.1f} ({gains.mean() - reach:+.1f} to {gains.mean() + reach:+.1f})"


def header(columns: Sequence[str]) -> str:
    return f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}"


def row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
