"""Which metrics of a task of lm-evaluation-harness can be computed here, and by which scorer or metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, cast

from phraseproof.core import AnswerRules
from phraseproof.errors import TaskError

if TYPE_CHECKING:
    from lm_eval.api.task import ConfigurableTask

METRIC = "lm_eval"
"""The metric that applies the rules: `lm_eval:METRIC` or `lm_eval:METRIC/FILTER`."""

_OF_OPTIONS: Mapping[str, str] = {
    "acc": "loglikelihood",
    "acc_norm": "loglikelihood_norm:characters",
    "acc_bytes": "loglikelihood_norm",
}
"""Metrics of options -> the scorer under which `accuracy` is the same number."""

_EQUALITY = "exact_match"
_OF_CORPORA = ("bleu", "chrf")
"""Metrics of all texts together, which are the same here; the harness computes them of filtered texts."""


def answer_rules(task: ConfigurableTask, name: str, warn: Callable[[str], None]) -> AnswerRules:
    """The rules by which a task's answers are scored.

    Args:
        task: of the harness.
        name: of the task here.
        warn: receives the metrics that cannot be computed, and where scores can differ.

    Raises:
        TaskError: none of its metrics can be computed.
    """
    found = _of_options(task, name) if task.OUTPUT_TYPE == "multiple_choice" else _of_texts(task)
    names = list(task.aggregation())
    if not found:
        raise TaskError(
            f"the task cannot be expressed here: none of its metrics can be computed ({', '.join(names)})", where=name
        )
    if absent := [each for each in names if not any(each in _of_harness(metric) for metric in found)]:
        warn(f"{name}: not computed of the task's metrics: {', '.join(absent)}")
    if task.OUTPUT_TYPE == "multiple_choice":
        others = ",".join(_OF_OPTIONS[each] for each in found)
        if others != _OF_OPTIONS["acc"]:
            warn(f"{name}: the accuracy under --scoring {others} is the task's {', '.join(found)}")
        return AnswerRules()
    if len(found) > 1:
        warn(f"{name}: the task's metrics are --metric {','.join(found)}")
    _note_differences(task, name, warn)
    settings = _generation(task)
    return AnswerRules(
        metric=found[0],
        stop=tuple(dict.fromkeys(text for text in settings["until"] if text)),
        max_new_tokens=settings["max_gen_toks"],
        details=_details(task),
    )


def _of_harness(metric: str) -> tuple[str, ...]:
    """The harness's name of a metric: `exact_match` of `lm_eval:exact_match/strict-match`."""
    return (metric, metric.partition(":")[2].partition("/")[0])


def _of_options(task: ConfigurableTask, name: str) -> list[str]:
    from lm_eval.api.metrics import mean

    if any(function != "take_first" for _, functions in _filters(task) for function in functions):
        raise TaskError("the task cannot be expressed here: it filters the scores of its options", where=name)
    return [each for each, aggregate in task.aggregation().items() if each in _OF_OPTIONS and aggregate is mean]


def _of_texts(task: ConfigurableTask) -> list[str]:
    from lm_eval.api.metrics import mean
    from lm_eval.api.registry import get_metric_aggregation

    filters = _filters(task)
    usable = [label for label, functions in filters if None not in functions]
    found: list[str] = []
    for each, aggregate in task.aggregation().items():
        if each == _EQUALITY and aggregate is mean and _is_of_harness(task, each):
            found += [f"{METRIC}:{each}/{label}" if len(filters) > 1 else f"{METRIC}:{each}" for label in usable]
        is_plain = all(function == "take_first" for _, functions in filters for function in functions)
        if each in _OF_CORPORA and aggregate is get_metric_aggregation(each) and is_plain and not task.multiple_target:
            found.append(each)
    return found


def _is_of_harness(task: ConfigurableTask, metric: str) -> bool:
    """Whether the harness computes a metric, and neither a Python function nor the package `evaluate`."""
    listed: Iterable[Mapping[str, Any]] = task.config.metric_list or [{"metric": metric}]
    return any(each["metric"] == metric and not each.get("hf_evaluate") for each in listed)


def _filters(task: ConfigurableTask) -> list[tuple[str, list[str | None]]]:
    """The names of the filters, each with its functions; `None` for one that only Python code defines."""
    listed = cast("Iterable[Mapping[str, Any]] | None", task.config.filter_list)
    if listed is None:
        return [("none", ["take_first"])]
    return [
        (
            str(each["name"]),
            [None if any(map(callable, step.values())) else str(step["function"]) for step in each["filter"]],
        )
        for each in listed
    ]


def _details(task: ConfigurableTask) -> dict[str, Any]:
    """What `scoring/texts/lm_eval.py` builds its filters and its metric of, as plain data."""
    config: Any = task.config
    metrics = [
        {key: value for key, value in each.items() if not callable(value)}
        for each in config.metric_list or [{"metric": _EQUALITY}]
        if each["metric"] == _EQUALITY
    ]
    usable = {label for label, functions in _filters(task) if None not in functions}
    filters = [each for each in config.filter_list or [] if each["name"] in usable]
    return {
        "lm_eval": version("lm_eval"),
        "metric_list": deepcopy(metrics),
        "filter_list": deepcopy(filters) or None,
        "has_several_targets": bool(task.multiple_target),
    }


def _generation(task: ConfigurableTask) -> dict[str, Any]:
    from lm_eval.models.utils import normalize_gen_kwargs

    return cast("dict[str, Any]", normalize_gen_kwargs(task.config.generation_kwargs or {}))


def _note_differences(task: ConfigurableTask, name: str, warn: Callable[[str], None]) -> None:
    settings = _generation(task)
    if settings["do_sample"]:
        warn(f"{name}: the task draws its answers at temperature {settings['temperature']:g} (--temperature)")
    document: Any = task.task_docs[0]
    gold: Any = task.doc_to_target(document)
    text = str(gold[0]) if isinstance(gold, list) else str(gold)
    if _EQUALITY in task.aggregation() and _scores(task, document, text) != _scores(task, document, f" {text}\n"):
        warn(
            f"{name}: white space at the ends of an answer is removed here before the task's filters see it, and the "
            "harness counts it as wrong: its scores can be lower"
        )


def _scores(task: ConfigurableTask, document: Any, text: str) -> list[object]:
    """Whether the harness, with each of its filters, counts a text as right."""
    from lm_eval.api.instance import Instance

    instance = Instance("generate_until", document, ("", {}), 0, resps=[text])
    found: list[object] = []
    for each in task._filters:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as `apply_filters` does
        each.apply([instance])
        found.append(task.process_results(document, [instance.filtered_resps[each.name]]).get(_EQUALITY))
    return found
