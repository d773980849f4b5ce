"""The metric `lm_eval`: filters and settings of a task, computed by the harness; expected values are by hand."""

from __future__ import annotations

from typing import Any

import pytest

from phraseproof.core import AnswerRules, Example, Kind, Outcome, Task
from phraseproof.errors import UsageError
from phraseproof.scoring.metric import CellKey
from phraseproof.scoring.registry import metric, metric_identity

FIRST = {"name": "first", "filter": [{"function": "regex", "regex_pattern": r"(\d+)"}, {"function": "take_first"}]}
LAST = {
    "name": "last",
    "filter": [
        {"function": "regex", "regex_pattern": r"(\d+)", "group_select": -1},
        {"function": "take_first"},
    ],
}
LETTER = {
    "name": "letter",
    "filter": [{"function": "multi_choice_regex", "regex_pattern": r"(\([A-Z]\))"}, {"function": "take_first"}],
}
MATCH = {"metric": "exact_match", "ignore_case": True, "regexes_to_ignore": [","]}


def task(*, filters: list[dict[str, Any]] | None = None, several: bool = False, **fields: object) -> Task:
    details = {"lm_eval": "1", "metric_list": [MATCH], "filter_list": filters, "has_several_targets": several}
    answers = AnswerRules(metric="lm_eval:exact_match", details=details)
    return Task("t", Kind.FREE_TEXT, "t", (Example("1", fields, reference="x"),), answers=answers)


def score(name: str, of: Task, text: str, *references: str) -> float:
    outcome = Outcome("1", 0.0, text=text, reference=references[0], other_references=references[1:])
    return metric(name).of_task(of).judge([outcome])[0].score


def test_the_filter_is_the_named_one_or_the_first() -> None:
    of = task(filters=[FIRST, LAST])
    text = "First 12, then 35."
    assert score("lm_eval:exact_match/first", of, text, "12") == 1.0
    assert score("lm_eval:exact_match/last", of, text, "12") == 0.0
    assert score("lm_eval:exact_match/last", of, text, "35") == 1.0
    assert score("lm_eval:exact_match", of, text, "12") == 1.0
    assert score("lm_eval:exact_match", of, "None.", "12") == 0.0


def test_the_settings_of_the_metric_are_the_tasks() -> None:
    assert score("lm_eval:exact_match", task(), "1,000 EUROS", "1000 euros") == 1.0
    assert score("lm_eval:exact_match", task(), "1,000 EUROS!", "1000 euros") == 0.0


def test_one_of_several_targets_is_enough() -> None:
    assert score("lm_eval:exact_match", task(several=True), "grey", "gray", "Grey") == 1.0
    assert score("lm_eval:exact_match", task(several=True), "green", "gray", "Grey") == 0.0


def test_a_filter_may_read_the_options_of_the_document() -> None:
    of = task(filters=[LETTER], doc_choices=["a red fox", "a hare"])
    assert score("lm_eval:exact_match", of, "It is a hare", "(B)") == 1.0
    other = task(filters=[LETTER], doc_choices=["a hare", "a red fox"])
    assert score("lm_eval:exact_match", other, "It is a hare", "(B)") == 0.0
    assert score("lm_eval:exact_match", of, "It is a hare", "(B)") == 1.0


def test_the_rules_are_part_of_the_identity() -> None:
    key = CellKey("t", "w")
    one, other = (metric_identity("lm_eval:exact_match", key, (), task(filters=each)) for each in ([FIRST], [LAST]))
    assert one != other
    assert metric_identity("lm_eval:exact_match") == "lm_eval:exact_match"


def test_other_tasks_metrics_and_filters_are_refused() -> None:
    plain = Task("t", Kind.FREE_TEXT, "t", (Example("1", {}, reference="x"),))
    with pytest.raises(UsageError, match="expected a task of lm-evaluation-harness whose answers are texts"):
        metric("lm_eval:exact_match").of_task(plain).require(["x"])
    with pytest.raises(
        UsageError, match=r"a filter 'lost'.*expected lm_eval:exact_match/first, lm_eval:exact_match/las"
    ):
        metric("lm_eval:exact_match/lost").of_task(task(filters=[FIRST, LAST])).require(["x"])
    with pytest.raises(UsageError, match="'lm_eval' needs an argument"):
        metric("lm_eval")
    metric("lm_eval:exact_match/last").of_task(task(filters=[FIRST, LAST])).require(["x"])
