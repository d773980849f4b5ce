"""What models receive and return: defaults, flags that add up, and texts that know they were cut."""

from __future__ import annotations

import pickle
from inspect import signature

import pytest

from phraseproof.core import GREEDY, ChatMessage, CutText, ModelIdentity, OptionScores, Prompt, PromptRemark, Sampling


def test_defaults_are_those_that_the_documentation_names() -> None:
    assert (Prompt("x").target_delimiter, Prompt("x").has_special_tokens) == (" ", False)
    assert (GREEDY.temperature, GREEDY.top_p) == (0.0, 1.0)
    assert OptionScores((-0.5,), 3, 4).remarks == 0


def test_remarks_are_added_and_read_one_by_one() -> None:
    scores = OptionScores((-0.5,), 3, 4, remarks=PromptRemark.NO_BOS | PromptRemark.OPTION_BEGINS_ANOTHER)
    read = PromptRemark(scores.remarks)
    assert {remark for remark in PromptRemark if remark in read} == {
        PromptRemark.NO_BOS,
        PromptRemark.OPTION_BEGINS_ANOTHER,
    }
    assert len({remark.value for remark in PromptRemark}) == 3


def test_a_cut_text_is_a_text() -> None:
    assert CutText("half a sen") == "half a sen"
    assert isinstance(CutText("half a sen"), str)
    assert not isinstance("half a sen", CutText)


@pytest.mark.parametrize(
    "value",
    [
        Prompt("x", ("a",)),
        ModelIdentity("m", "1", "M", settings={"a": "b"}),
        OptionScores((-0.5,), 3, 4),
        ChatMessage("user", "x"),
        Sampling(temperature=0.5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_frozen_and_go_to_other_processes(value: object) -> None:
    with pytest.raises((AttributeError, TypeError)):
        setattr(value, next(iter(signature(type(value)).parameters)), "other")
    assert pickle.loads(pickle.dumps(value)) == value
