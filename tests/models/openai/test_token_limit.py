"""Servers that refuse `max_tokens`, over real connections."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from phraseproof.core import ChatMessage, Prompt
from phraseproof.errors import LimitReachedError, ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.openai.model import ServedModel
from support.openai_server import Asked, Reply, chat_reply, serve

REFUSAL = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."


def newer(asked: Asked) -> Reply:
    """As OpenAI's newer models answer."""
    if "max_tokens" in asked.body:
        return Reply({"error": {"message": REFUSAL, "param": "max_tokens", "code": "unsupported_parameter"}}, 400)
    return chat_reply(str(asked.body["max_completion_tokens"]))


def prompts(count: int) -> list[Prompt]:
    return [Prompt(f"{number}?", messages=(ChatMessage("user", f"{number}?"),)) for number in range(count)]


def served(answer: Callable[[Asked], Reply], *calls: int, **args: str) -> tuple[list[list[str]], list[Asked]]:
    """The texts of several calls of one model, each with a number of prompts."""
    with serve(answer) as server:
        args = {"base_url": server.base_url, "concurrency": "1", "retries": "1", "endpoint": "chat", **args}
        model = load_model("openai/m", ModelOptions(args=args))
        assert isinstance(model, ServedModel)
        return [model.generate(prompts(count), max_new_tokens=7) for count in calls], server.asked


def test_the_request_is_sent_again_with_the_other_field_and_this_is_remembered() -> None:
    texts, asked = served(newer, 3, 2)
    assert texts == [["7"] * 3, ["7"] * 2]
    assert ["max_tokens" in each.body for each in asked] == [True] + [False] * 5
    first, second = asked[0].body, asked[1].body
    assert {**first, "max_completion_tokens": first["max_tokens"]} == {**second, "max_tokens": first["max_tokens"]}


def test_both_requests_count_against_the_limit() -> None:
    with pytest.raises(LimitReachedError):
        served(newer, 3, max_requests="3")
    assert served(newer, 3, max_requests="4")[0] == [["7"] * 3]


def test_a_server_that_refuses_both_fields_is_asked_in_the_old_one_next_time() -> None:
    fields: list[bool] = []

    def answer(asked: Asked) -> Reply:
        fields.append("max_tokens" in asked.body)
        if len(fields) <= 2:
            return Reply({"error": "'max_tokens' or 'max_completion_tokens' is too large"}, 400)
        return chat_reply("yes")

    with serve(answer) as server:
        model = load_model("openai/m", ModelOptions(args={"base_url": server.base_url, "endpoint": "chat"}))
        assert isinstance(model, ServedModel)
        with pytest.raises(ModelError, match=r"HTTP 400 .*too large"):
            model.generate(prompts(1), max_new_tokens=7)
        assert model.generate(prompts(1), max_new_tokens=7) == ["yes"]
    assert fields == [True, False, True]


def test_the_endpoint_completions_keeps_its_field() -> None:
    with pytest.raises(ModelError, match="Use 'max_completion_tokens' instead"):
        served(newer, 1, endpoint="completions")
