"""The metric `lm_eval:METRIC/FILTER`: a metric of a task of lm-evaluation-harness, computed by the harness itself.

The filter (as `strict-match`) and the metric's settings are the task's own (`Task.answers`). `lm_eval:METRIC` takes the
first filter of the task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from json import dumps, loads
from typing import Any

from phraseproof.core import Outcome, Task
from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.scoring.metric import Metric
from phraseproof.scoring.texts.normalization import text_of

_WHERE = "--metric lm_eval:METRIC/FILTER"
_NEEDS_DOCUMENT = "multi_choice_regex"
"""The filter of the harness that looks at the document: at its field `choices`."""
_NO_FILTER: Mapping[str, Any] = {"name": "none", "filter": [{"function": "take_first"}]}


class HarnessMetric(Metric):
    """1 where the harness counts the filtered text as right, and 0 elsewhere.

    Args:
        argument: the metric and, after a slash, the filter.
        rules: of a task (`AnswerRules.details`); empty for none.
        documents: of the task's examples, by their ids.
    """

    is_binary = True
    judges_text = True

    def __init__(
        self, argument: str, rules: Mapping[str, Any] | None = None, documents: Mapping[str, Any] | None = None
    ) -> None:
        self.name = f"lm_eval:{argument}"
        self._argument = argument
        self._metric, _, self._filter = argument.partition("/")
        self._rules = rules or {}
        self._documents = documents or {}
        self._last: tuple[Task, HarnessMetric] | None = None

    def of_task(self, task: Task, /) -> HarnessMetric:
        """The metric with the rules of a task."""
        rules = task.answers.details
        if not rules or rules is self._rules:
            return self
        # Asked for every outcome, and the documents are those of the whole task.
        last = self._last
        if last is not None and last[0] is task:
            return last[1]
        needs = _NEEDS_DOCUMENT in dumps(rules["filter_list"])
        documents = {each.id: {"choices": each.fields.get("doc_choices")} for each in task.examples} if needs else {}
        found = HarnessMetric(self._argument, rules, documents)
        self._last = task, found
        return found

    @property
    def identity(self) -> Mapping[str, object]:
        """The task's rules, with the version of the harness."""
        return self._rules

    def require(self, references: Sequence[str], /) -> None:
        """Check that the task has this metric and this filter, and that the harness is installed.

        Raises:
            UsageError: it has not.
            MissingExtraError: the harness is not installed.
        """
        del references
        metrics = [each["metric"] for each in self._rules.get("metric_list", ())]
        filters = [each["name"] for each in self._rules.get("filter_list") or [_NO_FILTER]]
        if self._metric not in metrics or (self._filter and self._filter not in filters):
            raise UsageError(
                f"the task has no metric {self._metric!r} of lm-evaluation-harness"
                + (f" with a filter {self._filter!r}" if self._filter else ""),
                expected=", ".join(f"lm_eval:{one}/{other}" for one in metrics for other in filters)
                or "a task of lm-evaluation-harness whose answers are texts",
                where=_WHERE,
            )
        _require_harness()

    def score(self, outcome: Outcome) -> float:
        """1.0 or 0.0."""
        return self.scores([outcome])[0]

    def scores(self, outcomes: Sequence[Outcome]) -> list[float]:
        """The values of many examples, which are filtered together."""
        if not outcomes:
            return []
        task = _scoring_task(dumps(self._rules, sort_keys=True))
        texts = [[text_of(each, self.name)] for each in outcomes]
        documents = [self._document(each) for each in outcomes]
        filtered = self._filtered(texts, documents)
        return [
            float(task.process_results(document, [text])[self._metric])
            for document, text in zip(documents, filtered, strict=True)
        ]

    def _filtered(self, texts: list[list[str]], documents: Sequence[Mapping[str, Any]]) -> list[object]:
        """What the functions of the filter make of the texts, one after the other."""
        filters = [each for each in self._rules["filter_list"] or [_NO_FILTER] if self._filter in ("", each["name"])]
        get_filter: Any = import_module("lm_eval.filters").get_filter
        found: Any = texts
        for step in filters[0]["filter"]:
            settings = {name: value for name, value in step.items() if name != "function"}
            found = list(get_filter(step["function"])(**settings).apply(found, documents))
        return list(found)

    def _document(self, outcome: Outcome) -> dict[str, Any]:
        has_several = self._rules["has_several_targets"]
        gold = list(outcome.references) if has_several else outcome.references[0]
        return {**self._documents.get(outcome.example_id, {}), "text": "", "gold": gold}


@lru_cache(maxsize=64)
def _scoring_task(rules: str) -> Any:
    """A task of the harness with the metrics of a task, and nothing else of it."""
    found = loads(rules)
    document = {"text": "", "gold": ["gold"] if found["has_several_targets"] else "gold"}

    def download(task: Any, *_: object, **__: object) -> None:
        """Take one document in place of data."""
        task.dataset = {"test": import_module("datasets").Dataset.from_list([document])}

    base: Any = import_module("lm_eval.api.task").ConfigurableTask
    return type("ScoringTask", (base,), {"download": download})(
        config={
            "task": "scoring",
            "output_type": "generate_until",
            "test_split": "test",
            "doc_to_text": "text",
            "doc_to_target": "gold",
            "generation_kwargs": {"until": []},
            "metric_list": found["metric_list"],
        }
    )


def _require_harness() -> None:
    try:
        import_module("lm_eval.tasks")
    except ImportError:
        raise MissingExtraError("The metric lm_eval", extra="lm-eval", package="lm_eval") from None


def make(argument: str) -> Metric:
    """The metric of that name and filter."""
    return HarnessMetric(argument)
