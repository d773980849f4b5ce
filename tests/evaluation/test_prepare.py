"""An evaluation is checked before anything is computed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from phraseproof.errors import InstructionError, UsageError
from phraseproof.evaluation.prepare import prepare
from phraseproof.evaluation.spec import EvaluationSpec
from support.reading_task import CLEAR, VAGUE, Knowing, make_evaluation, make_task, wording


def test_a_wording_that_names_what_the_task_lacks_stops_before_anything_is_scored() -> None:
    with pytest.raises(InstructionError, match="passage") as caught:
        make_evaluation(Knowing(), wording("lost", "{{ passage }}", origin="mine.yaml:3"))
    assert "mine.yaml:3" in str(caught.value)


def test_a_task_without_a_wording_is_an_error() -> None:
    with pytest.raises(UsageError, match="no wording fits"):
        prepare(Knowing(), [make_task()], {"mine": {}}, EvaluationSpec())


def test_unknown_scoring() -> None:
    with pytest.raises(UsageError, match="loglikelihood_norm"):
        make_evaluation(scoring="vibes")


def test_two_texts_of_one_name_are_refused_and_one_text_twice_is_not() -> None:
    twin = replace(VAGUE, id="clear", origin="other.yaml:2")
    with pytest.raises(UsageError, match=r"other\.yaml:2: two different wordings are called 'mine/clear'"):
        prepare(Knowing(), [make_task()], {"a": {"letters": [CLEAR]}, "b": {"letters": [twin]}}, EvaluationSpec())
    groups = {"a": {"letters": [CLEAR]}, "b": {"letters": [replace(CLEAR, source="a book")]}}
    planned = prepare(Knowing(), [make_task()], groups, EvaluationSpec()).planned
    assert [each.cell.group for each in planned] == ["a", "b"]
    assert len({each.cell.identity for each in planned}) == 1


def test_the_settings_are_resolved_and_the_tasks_sampled() -> None:
    evaluation = prepare(Knowing(), [make_task()], {"a": {"letters": [CLEAR]}}, EvaluationSpec(limit=3))
    assert evaluation.settings.prompt_format == "plain"
    assert [len(task.examples) for task in evaluation.tasks] == [3]
    assert [len(task.examples) for task in evaluation.whole_tasks] == [7]


def test_every_wording_is_rendered_for_every_task_before_the_run() -> None:
    """A template that fails only for one kind of example stops the run here, not in the middle."""
    model = Knowing()
    fails = wording("fails", "{{ question[10] }}")
    with pytest.raises(InstructionError):
        make_evaluation(model, CLEAR, fails)
    assert model.asked == []
