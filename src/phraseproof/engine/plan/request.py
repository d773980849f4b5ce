"""The deduplicated requests of a scoring call: each distinct context once, with all the options that follow it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Options = tuple[tuple[int, ...], ...]
"""The token ids of several options."""


@dataclass(frozen=True, slots=True)
class Request:
    """One context to read once, and the distinct continuations to score after it.

    Attributes:
        context: token ids, int32, already cut to what fits; not to be written to.
        options: token ids of each option, none empty.
        steps: for the method `paper`, the number of greedy decoding steps; else 0.
        shared: how many of the context's first tokens the request before it has, too; they are not computed again.
        kept: how many of them the request after it has.
    """

    context: NDArray[np.int32]
    options: Options
    steps: int = 0
    shared: int = 0
    kept: int = 0


class TokenCounts(NamedTuple):
    """A prompt's token counts and remarks, as `OptionScores` means them."""

    prompt_tokens: int
    truncated: int
    asked_tokens: int
    remarks: int = 0


class DeduplicatedRequests:
    """The requests of a call, each distinct context once, and where every option of every prompt is found in them.

    Thousands of prompts are planned together, so only a few bytes per prompt are kept, in arrays.
    """

    def __init__(self) -> None:
        self._contexts: list[NDArray[np.int32]] = []
        self._options: list[Options] = []
        self._steps = array("i")
        self._request_of: dict[bytes | tuple[bytes, Options], int] = {}
        self._same: dict[Options, Options] = {}
        # Of each prompt: its options' requests and numbers there, where those end, and its facts.
        self._request_numbers, self._numbers = array("i"), array("i")
        self._ends = array("q", [0])
        self._facts = array("q")

    def __len__(self) -> int:
        """How many prompts there are."""
        return len(self._ends) - 1

    def find(self, context: Sequence[int], options: Sequence[tuple[int, ...]], *, steps: int) -> list[tuple[int, int]]:
        """The (request, option) of each option after this context, new or known."""
        ids = np.asarray(context, dtype=np.int32).tobytes()
        distinct = self._shared(tuple(dict.fromkeys(options)))
        # The length of greedy decoding depends on all options, so only prompts with equal options share a request.
        request = self._request_of.setdefault((ids, tuple(options)) if steps else ids, len(self._contexts))
        if request == len(self._contexts):
            # A view of the dictionary's own key, so that a context is in memory once.
            self._contexts.append(np.frombuffer(ids, dtype=np.int32))
            self._options.append(distinct)
            self._steps.append(steps)
        elif self._options[request] is not distinct:
            self._options[request] = self._shared(tuple(dict.fromkeys((*self._options[request], *distinct))))
        number = {option: number for number, option in enumerate(self._options[request])}
        return [(request, number[option]) for option in options]

    def add(self, places: Sequence[tuple[int, int]], facts: TokenCounts) -> None:
        """Add the next prompt: where its options are, and its token counts."""
        self._request_numbers.extend(request for request, _ in places)
        self._numbers.extend(number for _, number in places)
        self._ends.append(len(self._request_numbers))
        self._facts.extend(facts)

    def places(self, prompt: int) -> list[tuple[int, int]]:
        """The (request, option) of each of a prompt's options."""
        own = slice(self._ends[prompt], self._ends[prompt + 1])
        return list(zip(self._request_numbers[own], self._numbers[own], strict=True))

    def option_tokens(self, places: Sequence[tuple[int, int]]) -> tuple[int, ...]:
        """How many tokens each option at these places has."""
        return tuple(len(self._options[request][option]) for request, option in places)

    def facts(self, prompt: int) -> TokenCounts:
        """A prompt's token counts."""
        return TokenCounts(*self._facts[4 * prompt : 4 * prompt + 4])

    def waits_for(self, prompt: int) -> set[int]:
        """The requests that hold a prompt's options."""
        return set(self._request_numbers[self._ends[prompt] : self._ends[prompt + 1]])

    def distinct(self) -> list[Request]:
        """All requests, in the order their contexts were first met."""
        return [
            Request(context, options, steps)
            for context, options, steps in zip(self._contexts, self._options, self._steps, strict=True)
        ]

    def per_prompt(self, per_request: Sequence[int]) -> list[int]:
        """A number per prompt from one per request: each request counts for the first prompt that needs it."""
        seen: set[int] = set()
        found: list[int] = []
        for prompt in range(len(self)):
            new = self.waits_for(prompt) - seen
            seen |= new
            found.append(sum(per_request[request] for request in new))
        return found

    def users(self) -> list[list[int]]:
        """For each request, the prompts that wait for it."""
        users: list[list[int]] = [[] for _ in self._contexts]
        for prompt in range(len(self)):
            for request in self.waits_for(prompt):
                users[request].append(prompt)
        return users

    def _shared(self, options: Options) -> Options:
        """Equal sets of options are one object: letters recur with every prompt."""
        return self._same.setdefault(options, options)
