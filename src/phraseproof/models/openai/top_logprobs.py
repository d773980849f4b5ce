"""The most probable first tokens of an answer with their log-probabilities, in the forms in which servers send them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from phraseproof.models.openai.echoed_scores import UnusableError, read_logprob
from phraseproof.models.openai.echoed_tokens import possible_texts

_MAX_TOTAL_PROBABILITY = 1.01
"""Of different tokens at one place. Above one only by rounding."""

_NO_PROBABILITY = -9000.0
"""Servers write numbers such as -9999 for a token without probability, because JSON has no minus infinity."""

_THOUGHT = ("<think", "<thought", "<reasoning", "<|channel", "<|start_thinking", "<seed:think", "[think", "\u25c1think")
"""How the marks begin by which published models open a block of thoughts."""


class ListedToken(NamedTuple):
    """One of the most probable tokens.

    Attributes:
        texts: what the token may spell. Several, because servers name tokens by their text or by a vocabulary's name.
        logprob: natural log of its probability.
    """

    texts: tuple[str, ...]
    logprob: float


class FirstTokens(NamedTuple):
    """The most probable first tokens of an answer.

    Attributes:
        listed: the tokens, the most probable first.
        asked: how many were requested. Servers may send fewer, or one more: the one that was drawn.
    """

    listed: tuple[ListedToken, ...]
    asked: int


def first_tokens(choice: Mapping[str, object], asked: int) -> FirstTokens:
    """The first tokens in a server's answer, of either endpoint.

    Args:
        choice: the answer.
        asked: how many tokens were requested.

    Raises:
        UnusableError: there are none, they cannot be right, or the model does not begin with its answer.
    """
    message = _mapping(choice.get("message"))
    if any(isinstance(message.get(name), str) and message[name] for name in ("reasoning_content", "reasoning")):
        raise _thinks()
    # A token that is listed twice with the same number counts once.
    listed = sorted(dict.fromkeys(_listed(choice)), key=lambda token: -token.logprob)
    if not listed:
        raise UnusableError(
            "the server does not list the most probable first tokens",
            hint="Scoring by first_token needs a server that supports top_logprobs; --scoring generate needs none",
        )
    total = math.fsum(math.exp(token.logprob) for token in listed)
    if total > _MAX_TOTAL_PROBABILITY:
        raise UnusableError(
            f"the probabilities of the first tokens add up to {total:.2f}, which cannot be (expected at most 1)"
        )
    if any(text.strip().lower().startswith(_THOUGHT) for text in listed[0].texts):
        raise _thinks()
    return FirstTokens(tuple(listed), asked)


def _thinks() -> UnusableError:
    return UnusableError(
        "the model writes its thoughts before it answers, so its first token is not the answer",
        hint="Switch that off, as many servers can with --chat-template-arg enable_thinking=false, or use --scoring "
        "generate",
    )


def _listed(choice: Mapping[str, object]) -> Iterator[ListedToken]:
    logprobs = _mapping(choice.get("logprobs"))
    content = _first(logprobs.get("content"))
    if content is not None:  # the form of chat, which llama.cpp also uses for completions
        entries = _mapping(content).get("top_logprobs")
        for entry in cast("list[object]", entries) if isinstance(entries, list) else []:
            named = _mapping(entry)
            yield _token(named.get("token"), named.get("logprob"), named.get("bytes"))
        return
    for name, value in _mapping(_first(logprobs.get("top_logprobs"))).items():
        yield _token(name, value, None)


def _token(name: object, value: object, spelt: object) -> ListedToken:
    if not isinstance(name, str):
        raise UnusableError(f"a token's name is not text (got {name!r:.60})")
    bytes_ = _bytes(spelt)
    texts = possible_texts(name) if bytes_ is None else (bytes_.decode(errors="replace"),)
    if isinstance(value, int | float) and not isinstance(value, bool) and value <= _NO_PROBABILITY:
        return ListedToken(texts, -math.inf)
    return ListedToken(texts, read_logprob(value, "a first token"))


def _bytes(spelt: object) -> bytes | None:
    """The token's bytes, where the server sends them."""
    if not isinstance(spelt, list) or not spelt:
        return None
    values = cast("list[object]", spelt)
    if not all(isinstance(value, int) and 0 <= value < 256 for value in values):
        return None
    return bytes(cast("Sequence[int]", values))


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _first(value: object) -> object:
    return cast("list[object]", value)[0] if isinstance(value, list) and value else None
