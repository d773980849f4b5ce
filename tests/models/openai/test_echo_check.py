"""Echoed log-probabilities against those of generated tokens, on a server over a tiny model and on wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from phraseproof import core
from phraseproof.core import ChoosesMethod, Prompt
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.openai.echo_check import Echoes, check_echo
from support.openai_server import Answer, Asked, Reply, serve

PROMPTS = [Prompt(f"{name} is", ("A", "B")) for name in ("The river", "A stone", "Water")]
NEXT = {" a": -0.5, " not": -2.0, " the": -3.0, " A": -4.0, " B": -4.5, " C": -4.6, " D": -4.7}


def server(*, shift: float = 0.0, names: str = "text", lists: bool = True) -> Answer:
    """Every token after a text has the log-probabilities `NEXT`; echoed ones are `shift` below."""

    def named(text: str) -> str:
        return {"text": text, "byte level": text.replace(" ", "Ġ"), "without spaces": text.strip()}[names]

    def answer(asked: Asked) -> Reply:
        if asked.path != "/v1/completions":
            return Reply({"error": "no such path"}, 404)
        text: str = asked.body["prompt"]
        if asked.body.get("echo"):
            # "The river is a": the words are tokens; one without a space before it is another, improbable one.
            start, space, last = text.rpartition(" ")
            if not any(text.endswith(each) for each in NEXT):
                start, space, last = text[:-1], "", text[-1]
            value = NEXT.get(space + last, -12.0) - shift
            logprobs: dict[str, Any] = {"tokens": [start, space + last], "token_logprobs": [None, value]}
            return Reply({"choices": [{"text": text, "logprobs": logprobs}]})
        top = {named(each): value for each, value in NEXT.items()} if lists else {}
        return Reply({"choices": [{"text": " a", "logprobs": {"tokens": [" a"], "top_logprobs": [top]}}]})

    return answer


def checked(answer: Answer) -> tuple[bool, str]:
    with serve(answer) as served:
        model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url, "endpoint": "completions"}))
        assert isinstance(model, Echoes)
        check = check_echo(model, PROMPTS)
    return check.passed, check.detail


@pytest.mark.parametrize("names", ["text", "byte level", "without spaces"])
def test_equal_numbers_pass_whatever_the_names_of_tokens(names: str) -> None:
    passed, detail = checked(server(shift=0.01, names=names))
    assert passed
    assert detail == "3 of 3 next tokens agree to 1.0e-02 nats"


def test_numbers_of_another_place_fail() -> None:
    passed, detail = checked(server(shift=3.0))
    assert not passed
    assert "' a' has the log-probability -0.50 as the next token, and -3.50 where the server echoes it" in detail


def test_one_other_number_among_three_is_no_failure() -> None:
    def answer(asked: Asked) -> Reply:
        return server(shift=3.0 if "river" in asked.body["prompt"] else 0.0)(asked)

    passed, detail = checked(answer)
    assert passed
    assert detail.startswith("2 of 3 next tokens agree")


def test_a_server_that_lists_no_next_tokens_is_not_compared() -> None:
    passed, detail = checked(server(lists=False))
    assert passed
    assert "not compared with those of generated tokens: " in detail
    assert "does not list the most probable first tokens" in detail


def test_a_wrong_echo_is_not_chosen() -> None:
    with serve(server(shift=3.0)) as served:
        model = load_model("openai/m", ModelOptions(args={"base_url": served.base_url, "endpoint": "completions"}))
        assert isinstance(model, ChoosesMethod)
        found = model.choose_method(None, [("A", "B")])
        assert found.method == "first_token"
        assert any("where the server echoes it" in note for note in found.notes)
        exact = model.choose_method("loglikelihood", [("A", "B")]).model
        assert isinstance(exact, core.TestsItself)
        failed = [check.name for check in exact.self_test(PROMPTS) if not check.passed]
        assert failed == ["echoed scores are the model's"]
