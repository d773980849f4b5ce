"""What is measured of an aligned pocket model, and the tables' rows: gains over another model, with their intervals.

An interval over wordings and questions is the crossed bootstrap of `phraseproof compare`, seeds averaged first: it is
about other wordings and questions. An interval over seeds is Student's t of the seeds' own gains: it is about other
orders of the training data. Neither is about other base models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from phraseproof.analysis.grids import TaskGrid
from phraseproof.analysis.paired import compare_runs
from phraseproof.core import Example, Finding, Instruction, OptionScores, Prompt, ScoresOptions, Task
from phraseproof.instructions.collections import instructions_for, load_collection
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
Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
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
        for task in load_tasks(["pocket"]):
            examples = task.examples[: limit if group == UNOBSERVED else observed_limit]
            served = instructions_for(wordings, task)
            prompts = tuple(_prompts(replace(item, ask=f"{before}{item.ask}"), examples) for item in served)
            found.append(Asked(group, replace(task, examples=examples), tuple(item.name for item in served), prompts))
    return tuple(found)


def _prompts(wording: Instruction, examples: Sequence[Example]) -> tuple[Prompt, ...]:
    compiled = compile_instruction(wording)
    return tuple(build_prompt(compiled, each, demonstrations=(), prompt_format="plain") for each in examples)


def measure(model: str, adapter: Path | None, everything: Sequence[Asked], kept: Path) -> Grids:
    """Scores of a model, a grid for each task and group.

    They are kept in the file `kept` and not in a run folder, whose file for each task and wording would take longer to
    write than these small models take to answer.
    """
    if not kept.exists():
        loaded = load_model(model, ModelOptions(adapter=adapter))
        assert isinstance(loaded, ScoresOptions), "a pocket model"
        flat = [prompt for each in everything for prompts in each.prompts for prompt in prompts]
        found = iter(loaded.score_options(flat))
        kept.parent.mkdir(parents=True, exist_ok=True)
        with kept.open("wb") as stream:
            np.savez(stream, *[_scores(each, found) for each in everything])
    with np.load(kept, allow_pickle=False) as scores:
        return tuple(_grid(each, scores[f"arr_{number}"]) for number, each in enumerate(everything))


def _scores(each: Asked, found: Iterator[OptionScores]) -> Floats:
    """[W, E]: 1 where the option that is chosen is the right one."""
    scores = [
        [
            example.option_scores[scorer("loglikelihood").choose(next(found).logprobs, prompt.options)]
            for prompt, example in zip(prompts, each.task.examples, strict=True)
        ]
        for prompts in each.prompts
    ]
    return np.array(scores, dtype=np.float64)


def _grid(each: Asked, scores: Floats) -> TaskGrid:
    return TaskGrid(
        task=each.task.name,
        category=each.task.category,
        num_fewshot=0,
        groups=(each.group,) * len(each.names),
        wordings=each.names,
        keys=each.names,
        means=scores.mean(axis=1),
        examples=tuple(example.id for example in each.task.examples),
        scores=scores,
    )


def averaged(runs: Sequence[Grids]) -> Grids:
    """The mean over seeds of every score."""
    found: list[TaskGrid] = []
    for same in zip(*runs, strict=True):
        scores = np.mean([grid.scores for grid in same if grid.scores is not None], axis=0)
        found.append(replace(same[0], scores=scores, means=scores.mean(axis=1), answers=None))
    return tuple(found)


def chosen(grids: Grids, column: Column) -> Grids:
    return tuple(grid for grid in grids if grid.groups[0] == column.group and column.fits(grid))


def mean_percent(grids: Grids, column: Column) -> float:
    return 100 * float(np.mean([grid.means.mean() for grid in chosen(grids, column)]))


def gain(before: Grids, after: Grids, column: Column) -> Finding:
    """After minus before, with the interval over wordings and questions."""
    (found,) = compare_runs(chosen(before, column), chosen(after, column))
    return found.overall.all


def in_points(found: Finding) -> str:
    if found.low is None or found.high is None:
        return f"{100 * found.estimate:+.1f}"
    return f"{100 * found.estimate:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})"


def over_seeds(before: Sequence[Grids], after: Sequence[Grids], column: Column) -> str:
    """After minus before of each seed, as a mean with Student's t interval.

    Args:
        before: one for each seed, or one for all.
    """
    from scipy import stats

    first = [mean_percent(grids, column) for grids in before]
    gains = np.array([mean_percent(grids, column) for grids in after]) - np.array(first)
    if len(gains) < 2:
        return f"{gains.mean():+.1f}"
    reach = stats.t.ppf(0.975, len(gains) - 1) * stats.sem(gains)
    return f"{gains.mean():+.1f} ({gains.mean() - reach:+.1f} to {gains.mean() + reach:+.1f})"


def header(columns: Sequence[str]) -> str:
    return f"| | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}"


def row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"
