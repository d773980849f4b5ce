"""What the kinds of tasks decide: how answers are read, what scores are in, and how long a generated answer may be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from phraseproof.core import CountsTokens, Kind, Model, Prompt, Task
from phraseproof.errors import UsageError
from phraseproof.evaluation.spec import EvaluationSpec, option_of
from phraseproof.scoring.registry import ARGUMENT, DEFAULT_METRIC, metric, reads_text, scorer, with_argument
from phraseproof.scoring.scorer import AUTO, Reading
from phraseproof.scoring.text_readings import AUTO as READ_AUTO
from phraseproof.scoring.text_readings import CONCLUSION

TEXT_SCORER = "generate"
"""The scorer of free-text tasks: no other one reads texts."""

TEXT_OPTIONS = ("temperature", "top_p", "top_k", "stop", "extract", "reasoning")
"""Fields of the spec that have an effect only where texts are generated."""

TEXT_METRICS: Mapping[Kind, str] = MappingProxyType(
    {Kind.SUMMARIZATION: "rouge2", Kind.TRANSLATION: "bleu", Kind.FREE_TEXT: "exact_match"}
)
"""The metrics of the paper (section 4.2) for summaries and translations; equality for other texts."""

_COVERED = 0.99
"""The share of references whose length decides the maximum length of an answer: a single very long one does not."""
_LENGTHS = 1.5
_MORE_TOKENS = 16
_BYTES_PER_TOKEN = 3
"""Of a model whose tokenizer is not here. English has about 4.5: this leaves room."""


class AnswerSettings(NamedTuple):
    """What a model is to give, by the kinds of the tasks.

    Attributes:
        scoring: the scorer, or `auto` where the model decides.
        metric: the metric's name.
        max_new_tokens: of a generated answer.
        stop: texts that end a generated answer.
        notes: one line each, for the user.
    """

    scoring: str
    metric: str
    max_new_tokens: int
    stop: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def answer_settings(model: Model, tasks: Sequence[Task], spec: EvaluationSpec) -> AnswerSettings:
    """Resolve scorer, metric and maximum length for tasks that all have options, or all have none.

    Args:
        model: counts tokens, if it can.
        tasks: the tasks in full, so that the maximum length does not depend on the sample.
        spec: what was asked for.

    Raises:
        UsageError: tasks with and without options, a scorer or metric that does not fit them, or tasks whose kinds have
            different default metrics.
    """
    if require_one_form({task.name: task.kind for task in tasks}):
        return AnswerSettings(spec.scoring, _metric_of_options(spec.metric, tasks), spec.answer_limit, spec.stop)
    name = tasks[0].name
    if spec.scoring != AUTO and scorer(spec.scoring).reading is not Reading.TEXT:
        raise UsageError(
            f"the scoring method '{spec.scoring}' compares answer options, and the task {name!r} has none",
            where="--scoring",
            hint=f"Leave out --scoring, which means {TEXT_SCORER} for {tasks[0].kind.value}",
        )
    chosen = TEXT_SCORER if spec.scoring == AUTO else spec.scoring
    judge = _metric_of_texts(spec.metric, tasks)
    stop, notes = _stop_of_texts(spec.stop, tasks)
    if spec.max_new_tokens is not None:
        return AnswerSettings(chosen, judge, spec.max_new_tokens, stop, notes)
    tokens, note = _answer_tokens(model, tasks)
    return AnswerSettings(chosen, judge, tokens, stop, (*notes, note))


def with_stored_limit(
    model: Model, tasks: Sequence[Task], spec: EvaluationSpec, stored: int, folder: Path
) -> tuple[EvaluationSpec, str]:
    """The spec with the maximum length of the answers that a run folder holds, where it names none.

    Args:
        model: counts tokens, if it can.
        tasks: the tasks in full.
        spec: what was asked for.
        stored: the maximum number of tokens in the folder.
        folder: for messages.

    Returns:
        The spec, and a line for the user; empty where nothing changes.

    Raises:
        UsageError: the references of a task need more.
    """
    free = [task for task in tasks if not task.kind.has_options]
    if spec.max_new_tokens is not None or not (free or any(reads_text(name) for name in spec.scorings if name != AUTO)):
        return spec, ""
    each = [(_answer_tokens(model, [task])[0], task.name) for task in free]
    needed, longest = max(each, default=(spec.answer_limit, ""))
    if free and needed > stored:
        raise UsageError(
            f"the references of {longest} need up to {needed} tokens per answer, and the answers in the folder have at "
            f"most {stored}",
            where=str(folder),
            hint=f"Add --max-new-tokens {stored} to continue this run, which cuts longer answers; or evaluate all "
            f"tasks into another --out with --max-new-tokens {needed}",
        )
    if needed == stored:
        return spec, ""
    note = f"at most {stored} tokens per answer, as in {folder} (--max-new-tokens)"
    return spec.with_changes(max_new_tokens=stored), note


def require_one_form(kinds: Mapping[str, Kind], where: str = "--tasks") -> bool:
    """Whether tasks have options, the same for all: scorers and metrics differ, and no mean over both has a unit.

    Args:
        kinds: of each task's name its kind.
        where: the place for the error.

    Raises:
        UsageError: some tasks have options, and others have none.
    """
    with_options = [name for name, kind in kinds.items() if kind.has_options]
    without = [name for name, kind in kinds.items() if not kind.has_options]
    if with_options and without:
        raise UsageError(
            "tasks with options and tasks of free text have different scorings and metrics, and a run has one of each",
            got=f"{with_options[0]} ({kinds[with_options[0]].value}) and {without[0]} ({kinds[without[0]].value})",
            where=where,
            hint="Evaluate them in two runs, each with its own --out",
        )
    return not without


def named_reading(scoring: str, settings: EvaluationSpec, tasks: Sequence[Task]) -> dict[str, object]:
    """The scorer with the way in which it reads options from texts, which its name holds from here on.

    After a reasoning, `auto` reads the conclusion: rules for short answers would find options that are only discussed.

    Args:
        scoring: the scorer, resolved.
        settings: what was asked for.
        tasks: all with options, or all without.

    Returns:
        The fields of the spec that change.

    Raises:
        UsageError: a reading or a reasoning is asked for, and the tasks have no options.
    """
    if not reads_text(scoring):
        return {"scoring": scoring}
    if not tasks[0].kind.has_options:
        for name in ("extract", "reasoning"):
            if getattr(settings, name) != EvaluationSpec.model_fields[name].default or ARGUMENT in scoring:
                raise UsageError(
                    f"the task {tasks[0].name!r} has no options to read: the metric judges its texts as they are",
                    where=option_of(name),
                    hint="--metric regex:PATTERN finds an answer in a text",
                )
        return {"scoring": scoring}
    how = CONCLUSION if settings.reasoning and settings.extract == READ_AUTO else settings.extract
    return {"scoring": scoring if how == READ_AUTO else with_argument(scoring, how), "extract": READ_AUTO}


def under_scoring(spec: EvaluationSpec, scoring: str) -> EvaluationSpec:
    """The spec with one scorer, and without the options of generated answers where that reads none.

    A run folder with several scorers stores one spec for all of them.
    """
    if reads_text(scoring):
        return spec.with_changes(scoring=scoring)
    fields = EvaluationSpec.model_fields
    return spec.with_changes(scoring=scoring, **{name: fields[name].default for name in TEXT_OPTIONS})


def _metric_of_options(name: str, tasks: Sequence[Task]) -> str:
    if name == AUTO:
        return DEFAULT_METRIC
    if metric(name).judges_text:
        raise UsageError(
            f"the metric '{name}' compares texts with references, and the task {tasks[0].name!r} has options",
            where="--metric",
            hint=f"Leave out --metric, which means {DEFAULT_METRIC} for tasks with options",
        )
    return name


def _metric_of_texts(name: str, tasks: Sequence[Task]) -> str:
    if name == AUTO:
        defaults = {task.answers.metric or TEXT_METRICS[task.kind]: task.name for task in reversed(tasks)}
        if len(defaults) > 1:
            found = ", ".join(f"{each} ({task})" for each, task in reversed(defaults.items()))
            raise UsageError(
                "the tasks have different metrics, and a run has one",
                got=found,
                where="--metric",
                hint="Name one for all with --metric, or evaluate them in two runs, each with its own --out",
            )
        name = next(iter(defaults))
    if not metric(name).judges_text:
        raise UsageError(
            f"the metric '{name}' scores the chosen option, and the task {tasks[0].name!r} has none",
            where="--metric",
            hint=f"Leave out --metric, which means {TEXT_METRICS[tasks[0].kind]} for {tasks[0].kind.value}",
        )
    for task in tasks:
        metric(name).of_task(task).require([text for example in task.examples for text in example.references])
    return name


def _stop_of_texts(asked: tuple[str, ...], tasks: Sequence[Task]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The texts that end an answer, and the line that says so where they are the tasks' own."""
    if asked:
        return asked, ()
    own = {task.answers.stop: task.name for task in reversed(tasks)}
    if len(own) > 1:
        found = ", ".join(f"{list(each)} ({task})" for each, task in reversed(own.items()))
        raise UsageError(
            "the tasks end answers at different texts, and a run has one setting",
            got=found,
            where="--stop",
            hint="Name the texts for all with --stop, or evaluate them in two runs, each with its own --out",
        )
    stop = next(iter(own))
    return stop, (f"an answer ends before {' or '.join(map(repr, stop))}, as the task says (--stop)",) if stop else ()


def _answer_tokens(model: Model, tasks: Sequence[Task]) -> tuple[int, str]:
    """The maximum number of tokens of an answer, and the line that says why."""
    own = [task.answers.max_new_tokens for task in tasks if task.answers.max_new_tokens is not None]
    if own and (len(own) < len(tasks) or len(set(own)) > 1):
        found = ", ".join(f"{task.answers.max_new_tokens or 'no number'} ({task.name})" for task in tasks[:5])
        raise UsageError(
            "the tasks name different maximum lengths of an answer, and a run has one",
            got=found,
            where="--max-new-tokens",
            hint="Name one for all with --max-new-tokens, or evaluate them in two runs, each with its own --out",
        )
    if own:
        return own[0], f"at most {own[0]} tokens per answer, as the task says (--max-new-tokens)"
    longest = max(_covering(_tokens(model, task)) for task in tasks)
    tokens = math.ceil(_LENGTHS * longest) + _MORE_TOKENS
    counted = "" if isinstance(model, CountsTokens) else f", counted as {_BYTES_PER_TOKEN} bytes each"
    return tokens, (
        f"at most {tokens} tokens per answer (--max-new-tokens): {_LENGTHS:g} times the length that "
        f"{100 * _COVERED:g}% of the references keep ({longest} tokens{counted}), and {_MORE_TOKENS} more"
    )


def _tokens(model: Model, task: Task) -> list[int]:
    texts = [text for example in task.examples for text in example.references]
    if not texts:
        raise UsageError(f"the task {task.name!r} has no reference texts", where="--tasks")
    if isinstance(model, CountsTokens):
        return model.count_tokens([Prompt(text, has_special_tokens=True) for text in texts])
    return [math.ceil(len(text.encode()) / _BYTES_PER_TOKEN) for text in texts]


def _covering(lengths: Sequence[int]) -> int:
    """The smallest length that the covered share of lengths does not exceed."""
    return sorted(lengths)[math.ceil(_COVERED * len(lengths)) - 1]
