"""The wordings of a run, each with its mean score and interval, and its tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from phraseproof.analysis.distributions import normal_quantile, t_quantile
from phraseproof.analysis.estimators.extremes import wilson
from phraseproof.analysis.estimators.resampling import CONFIDENCE
from phraseproof.scoring.metric import Metric
from phraseproof.viewer.index import Column, Moments, RunIndex
from phraseproof.viewer.paging import Page, page_of
from phraseproof.viewer.state import PageState

WORDINGS_PER_PAGE = 50
TASKS_PER_PAGE = 100


class WordingLine(NamedTuple):
    """A wording on a task.

    Attributes:
        place: from the best one, from 1; equal means share a place.
        mean: of its examples' scores; of a corpus metric its value.
        low, high: the 95% interval over examples; `None` where there is none.
        num_examples: `None` where only the mean is known.
    """

    place: int
    column: Column
    mean: float
    low: float | None
    high: float | None
    num_examples: int | None


class TaskLine(NamedTuple):
    """A task at a number of demonstrations, over its wordings.

    Attributes:
        mean, lowest, highest: of the wordings' means.
        num_examples: the largest number of examples of a wording.
    """

    task: str
    category: str
    num_fewshot: int
    num_wordings: int
    mean: float
    lowest: float
    highest: float
    num_examples: int | None


def interval_of(moments: Moments, metric: Metric) -> tuple[float, float] | None:
    """The 95% interval of a mean over examples; `None` of one example, and of corpus metrics.

    Wilson's for scores between 0 and 1, with the number of right and wrong answers that have the variance of the
    scores, which is the number of examples where all are 0 or 1. Student's for other metrics.
    """
    count, mean, variance, is_binary = moments
    if metric.is_corpus or (count < 2 and not is_binary):
        return None
    if (metric.low, metric.high) == (0.0, 1.0):
        apart = mean * (1 - mean)
        known = not is_binary and variance and apart > 0
        effective = apart * count / variance if known and variance else float(count)
        low, high = wilson(mean, effective, normal_quantile((1 + CONFIDENCE) / 2))
        return max(0.0, float(low)), min(1.0, float(high))
    if variance is None:
        return None
    reach = t_quantile((1 + CONFIDENCE) / 2, count - 1) * math.sqrt(variance / count)
    return max(metric.low, mean - reach), min(metric.high, mean + reach)


def wordings_of(index: RunIndex, state: PageState) -> Page[WordingLine]:
    """The wordings of a task, best first, that the state shows."""
    lines = ranked_lines(index, state.task, state.shots)
    text = state.q.casefold()
    kept = [
        line
        for line in lines
        if is_shown(line.column, state)
        and (not text or text in line.column.instruction.casefold() or text in line.column.text.casefold())
    ]
    return page_of(kept, state.page, WORDINGS_PER_PAGE)


def tasks_of(index: RunIndex, state: PageState) -> Page[TaskLine]:
    """The tasks of the run in the order of the plan, at each number of demonstrations."""
    found: list[TaskLine] = []
    categories = {each.task: each.category for each in (*index.run.cells, *index.run.accuracies)}
    for task, shots in task_keys(index):
        lines = _task_lines(index, task, shots)
        means = [line.mean for line in lines]
        counts = [line.num_examples for line in lines if line.num_examples is not None]
        mean = math.fsum(means) / len(means)
        line = TaskLine(
            task, categories[task], shots, len(lines), mean, min(means), max(means), max(counts, default=None)
        )
        found.append(line)
    return page_of(found, state.page, TASKS_PER_PAGE)


def task_keys(index: RunIndex) -> tuple[tuple[str, int], ...]:
    """The tasks of a run, each with its numbers of demonstrations."""
    if index.run.accuracies:
        return tuple(dict.fromkeys((each.task, each.num_fewshot) for each in index.run.accuracies))
    return tuple(dict.fromkeys((each.task, each.num_fewshot) for each in index.columns))


def is_shown(column: Column, state: PageState) -> bool:
    """Whether the groups and kinds that the state shows have the wording."""
    return (not state.group or column.group == state.group) and (not state.kind or column.kind == state.kind)


def with_task(index: RunIndex, state: PageState) -> PageState:
    """The state with the task and the number of demonstrations that are shown: what it names, or else the first."""
    keys = task_keys(index)
    tasks = [task for task, _ in keys]
    task = state.task if state.task in tasks else next(iter(tasks), "")
    shots = sorted(number for name, number in keys if name == task)
    return state.having(task=task, shots=state.shots if state.shots in shots else next(iter(shots), 0))


def ranked_lines(index: RunIndex, task: str, num_fewshot: int) -> list[WordingLine]:
    """The wordings of a task, best first; equal ones by name."""
    judge = index.metric
    lines = _task_lines(index, task, num_fewshot)

    def loss(line: WordingLine) -> float:
        return round(-judge.benefit(line.mean), 12)  # means over draws differ in their last digits

    ordered = sorted(lines, key=lambda line: (loss(line), line.column.instruction, line.column.group))
    found: list[WordingLine] = []
    for number, line in enumerate(ordered, 1):
        is_equal = bool(found) and loss(found[-1]) == loss(line)
        found.append(line._replace(place=found[-1].place if is_equal else number))
    return found


def _task_lines(index: RunIndex, task: str, num_fewshot: int) -> list[WordingLine]:
    if index.run.accuracies:
        published = [each for each in index.run.accuracies if (each.task, each.num_fewshot) == (task, num_fewshot)]
        texts = index.run.wording_texts()
        return [
            WordingLine(
                0,
                Column(
                    number, task, num_fewshot, each.group, each.instruction, "",
                    texts.get((task, each.instruction), ""), (),
                ),
                each.mean_score,
                None,
                None,
                each.num_examples,
            )
            for number, each in enumerate(published)
        ]  # fmt: skip
    columns, judge = index.of_task(task, num_fewshot), index.metric
    values = _corpus_values(index) if judge.is_corpus else {}
    found: list[WordingLine] = []
    for column in columns:
        moments = index.moments[column.number]
        low, high = interval_of(moments, judge) or (None, None)
        mean = values.get(column.number, moments.mean)
        found.append(WordingLine(0, column, mean, low, high, moments.num_examples))
    return found


def _corpus_values(index: RunIndex) -> Mapping[int, float]:
    if "values" not in index.kept:
        names = ("task", "num_fewshot", "group", "instruction")
        rows = index.run.mean_scores(*names)
        by_key = {tuple(row[name] for name in names): float(row["mean_score"]) for row in rows}
        index.kept["values"] = {
            each.number: by_key[each.task, each.num_fewshot, each.group, each.instruction] for each in index.columns
        }
    return index.kept["values"]


def groups_of(index: RunIndex) -> Sequence[str]:
    """The groups of wordings, in the order they were named."""
    used = {each.group for each in (*index.columns, *index.run.accuracies)}
    return [group for group in index.run.groups if group in used]


def kinds_of(index: RunIndex) -> Sequence[str]:
    """The relations that wordings declare, sorted."""
    return sorted({column.kind for column in index.columns} - {""})
