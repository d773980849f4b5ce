"""Questions to an engine that gives the probabilities of the next token: the options of prompts, node by node.

The options of a prompt are a trie of tokens. Each node that predicts something is one question: the probabilities of
its children after the prompt and the tokens on the way to it. Shorter texts come first, so that an engine that keeps
what it has read finds the beginning of each longer text in its cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from phraseproof.engine.plan.prefix_tree import TokenTrie, token_trie
from phraseproof.engine.plan.request import Request

MOST_WANTED = 128
"""The largest number of next tokens that vLLM reports for one text."""


class NextTokenQuestion(NamedTuple):
    """A text, and the next tokens whose probabilities are wanted.

    Attributes:
        text: token ids, at least one.
        wanted: distinct token ids, at most `MOST_WANTED`.
    """

    text: tuple[int, ...]
    wanted: tuple[int, ...]


class NextTokenAnswer(NamedTuple):
    """What an engine found.

    Attributes:
        logprobs: natural-log probabilities, parallel to the question's `wanted`.
        computed: tokens of the text that were computed for it, and not found in the cache.
    """

    logprobs: tuple[float, ...]
    computed: int


class PredictsNext(Protocol):
    """An engine that reads texts and gives probabilities of their next tokens."""

    def ask(self, questions: Sequence[NextTokenQuestion]) -> list[NextTokenAnswer]:
        """NextTokenAnswer questions, in their order."""
        ...


class RequestAnswer(NamedTuple):
    """The scores of one request.

    Attributes:
        logprobs: one per option of the request: the sum over its tokens.
        computed: tokens that were computed for them.
    """

    logprobs: list[float]
    computed: int


def score_requests(engine: PredictsNext, requests: Sequence[Request]) -> list[RequestAnswer]:
    """Score the options of some requests together.

    Args:
        engine: answers questions.
        requests: contexts with options; small enough together for the engine's cache.
    """
    tries = [token_trie(request.options) for request in requests]
    questions: list[NextTokenQuestion] = []
    asked: list[tuple[int, int]] = []
    for number, (request, trie) in enumerate(zip(requests, tries, strict=True)):
        for node in sorted(trie.scored(), key=lambda node: 0 if node < 0 else trie.depths[node]):
            for wanted in _groups(_children(trie, node)):
                questions.append(NextTokenQuestion(_text(request, trie, node), wanted))
                asked.append((number, node))
    found: list[dict[tuple[int, int], float]] = [{} for _ in requests]
    computed = [0] * len(requests)
    for (number, node), question, answer in zip(asked, questions, engine.ask(questions), strict=True):
        computed[number] += answer.computed
        for token, logprob in zip(question.wanted, answer.logprobs, strict=True):
            found[number][node, token] = logprob
    return [
        RequestAnswer(
            [
                sum(known[node, token] for node, token in zip(path, target, strict=True))
                for path, target in zip(trie.paths, trie.targets, strict=True)
            ],
            count,
        )
        for trie, known, count in zip(tries, found, computed, strict=True)
    ]


def _children(trie: TokenTrie, node: int) -> tuple[int, ...]:
    """The tokens that options have after a node, each once."""
    return tuple(
        dict.fromkeys(
            token
            for path, target in zip(trie.paths, trie.targets, strict=True)
            for place, token in zip(path, target, strict=True)
            if place == node
        )
    )


def _groups(tokens: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [tokens[start : start + MOST_WANTED] for start in range(0, len(tokens), MOST_WANTED)]


def _text(request: Request, trie: TokenTrie, node: int) -> tuple[int, ...]:
    """The context and the tokens on the way to a node."""
    way: list[int] = []
    while node >= 0:
        way.append(trie.tokens[node])
        node = trie.parents[node]
    return (*map(int, request.context), *reversed(way))
