from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from phraseproof.models.openai.echoed_scores import UnusableError
from phraseproof.models.openai.top_logprobs import first_tokens


def chat(*tokens: Any, **message: Any) -> dict[str, object]:
    entries = [dict(zip(("token", "logprob", "bytes"), token, strict=False)) for token in tokens]
    return {"message": {"content": "A", **message}, "logprobs": {"content": [{"top_logprobs": entries}]}}


def texts_and_values(choice: Mapping[str, object]) -> list[tuple[tuple[str, ...], float]]:
    return [(token.texts, token.logprob) for token in first_tokens(choice, 20).listed]


def test_tokens_come_sorted_and_by_their_bytes_where_the_server_sends_them() -> None:
    found = texts_and_values(chat(("B", -3.0), ("\\xd0\\x94", -1.0, [0xD0, 0x94]), ("Ġx", -9999.0)))
    assert found == [(("Д",), -1.0), (("B",), -3.0), (("Ġx", " x"), -math.inf)]


@pytest.mark.parametrize(
    ("name", "text"), [("ĠA", " A"), ("▁A", " A"), ("<0x41>", "A"), ("bytes:\\x41", "A"), ("ÐĶ", "Д"), (" A", " A")]
)
def test_names_of_vocabularies_are_read(name: str, text: str) -> None:
    (token,) = first_tokens({"text": "", "logprobs": {"top_logprobs": [{name: -0.5}]}}, 5).listed
    assert text in token.texts


def test_the_form_of_chat_is_read_from_completions_too() -> None:
    choice: dict[str, object] = {
        "text": "A",
        "logprobs": {"content": [{"top_logprobs": [{"token": "A", "logprob": -0.5}]}]},
    }
    assert texts_and_values(choice) == [(("A",), -0.5)]


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"message": {"content": "A"}}, "does not list the most probable first tokens"),
        ({"message": {"content": "A"}, "logprobs": {"content": []}}, "does not list"),
        (chat(("A", 0.5)), "impossible"),
        (chat(("A", math.nan)), "impossible"),
        (chat(("A", "-1")), "not a number"),
        (chat(("A", None)), "a first token has no log-probability"),
        (chat((3, -1.0)), "a token's name is not text"),
        (chat(("A", -0.1), ("B", -0.2)), r"add up to 1\.72"),
        (chat(("A", -0.1), reasoning_content="Let me think"), "writes its thoughts before it answers"),
        (chat(("A", -0.1), reasoning="Let me think"), "writes its thoughts"),
        (chat(("<think>", -0.1), ("A", -5.0)), "writes its thoughts"),
        (chat(("<|channel|>", -0.1)), "writes its thoughts"),
    ],
)
def test_what_cannot_be_used_is_refused(choice: dict[str, object], message: str) -> None:
    with pytest.raises(UnusableError, match=message):
        first_tokens(choice, 20)
