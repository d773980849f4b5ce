"""Writes any number of texts: complete ones leave at once, and waiting ones take their place (continuous batching)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch

from phraseproof.engine.generation.slot_cache import SharedBeginning
from phraseproof.engine.generation.texts import PlannedText, TextDecoder
from phraseproof.engine.generation.token_choice import TokenChooser
from phraseproof.engine.plan.prefix_tree import order_by_prefix
from phraseproof.engine.plan.request import Request
from phraseproof.engine.plan.shared_beginnings import shared_beginnings
from phraseproof.errors import ModelError

_LEAST_READ = 48
"""Fewer tokens of contexts are not worth a pass while other texts are written: small products are slow."""


class Room(NamedTuple):
    """How much is computed at once.

    Attributes:
        texts: the most texts that are written at once.
        cached_tokens: the most tokens whose keys and values are kept, shared beginnings not counted.
        pass_tokens: the most tokens of contexts that are read in one pass.
    """

    texts: int
    cached_tokens: int
    pass_tokens: int

    def halved(self) -> Room:
        """Half of the texts, tokens and passes."""
        return Room(*(max(1, number // 2) for number in self))


class WrittenTokens(NamedTuple):
    """What became of a text.

    Attributes:
        text: its number.
        tokens: what was written, an end token included.
        computed: how many tokens of its context were computed for it, and not for one before it.
        is_near_tie: writing stopped because rounding might decide the next token.
    """

    text: int
    tokens: list[int]
    computed: int
    is_near_tie: bool = False


@dataclass
class _Active:
    """A text that is being written.

    Attributes:
        text: its number.
        computed: as in `WrittenTokens`.
        size: the most own tokens that its slot will hold.
        tokens: what is written so far.
    """

    text: int
    computed: int
    size: int
    tokens: list[int] = field(default_factory=list[int])


def write_texts(
    make: Callable[[], TextDecoder],
    requests: Sequence[Request],
    chooser: TokenChooser,
    *,
    most: int,
    room: Room,
    has_ended: Callable[[Sequence[int]], bool],
    out_of_memory: Callable[[Exception], bool],
    release: Callable[[], None],
) -> Iterator[WrittenTokens]:
    """Write one text per request, and yield each as soon as it is complete.

    Args:
        make: a decoder that holds nothing yet.
        requests: the contexts, in any order.
        chooser: chooses tokens.
        most: the maximum number of new tokens.
        room: how much is computed at once; halved where memory runs out; texts that are not complete then start again.
        has_ended: whether a text is complete after its newest token.
        out_of_memory: whether an exception means that memory ran out.
        release: called after memory ran out, to free what it can.

    Raises:
        ModelError: memory runs out on one text.
    """
    left = list(range(len(requests)))
    while left:
        writer = _Writer(make(), [requests[text] for text in left], left, chooser, most, room, has_ended)
        try:
            yield from writer.run()
        except Exception as error:
            if not out_of_memory(error):
                raise
            if room.texts == 1:
                raise ModelError(
                    "memory ran out on a single text",
                    hint="Try --dtype bfloat16, --max-length 1024, or a larger device",
                ) from error
        left = writer.left()
        # Outside the handler: the exception refers to the frames and so to the tensors that must be freed first.
        if left:
            del writer
            release()
            room = room.halved()


class _Writer:
    """One attempt at writing some texts."""

    def __init__(
        self,
        decoder: TextDecoder,
        requests: Sequence[Request],
        numbers: Sequence[int],
        chooser: TokenChooser,
        most: int,
        room: Room,
        has_ended: Callable[[Sequence[int]], bool],
    ) -> None:
        self._decoder, self._chooser, self._room = decoder, chooser, room
        self._numbers, self._most, self._has_ended = numbers, most, has_ended
        self._planned = planned_texts(requests, most, decoder)
        self._next = 0
        self._active: list[_Active] = []
        self._done: set[int] = set()

    def left(self) -> list[int]:
        """The texts that are not complete."""
        return [text for text in self._numbers if text not in self._done]

    def run(self) -> Iterator[WrittenTokens]:
        """Write all texts."""
        while self._active or self._next < len(self._planned):
            admitted, read = self._admissible()
            is_last = self._next + len(admitted) == len(self._planned)
            if admitted and (not self._active or is_last or read >= _LEAST_READ):
                first = len(self._active)
                logits = self._decoder.start([planned for _, planned in admitted])
                for text, planned in admitted:
                    computed = len(planned.request.context) - planned.request.shared
                    self._active.append(_Active(self._numbers[text], computed, _size(planned)))
                self._next += len(admitted)
                yield from self._advance(logits, first)
            else:
                yield from self._advance(self._decoder.step([active.tokens[-1] for active in self._active]), 0)

    def _advance(self, logits: torch.Tensor, first: int) -> Iterator[WrittenTokens]:
        """Take the next token of the active texts from `first` on."""
        active = self._active[first:]
        choices = self._chooser.choose([each.text for each in active], [each.tokens for each in active], logits)
        for place in reversed(range(first, len(self._active))):
            each, choice = self._active[place], choices[place - first]
            if not choice.is_near_tie:
                each.tokens.append(choice.token)
                if len(each.tokens) < self._most and not self._has_ended(each.tokens):
                    continue
            self._decoder.drop(place)
            self._active[place] = self._active[-1]
            self._active.pop()
            self._chooser.forget(each.text)
            self._done.add(each.text)
            yield WrittenTokens(each.text, each.tokens, each.computed, choice.is_near_tie)

    def _admissible(self) -> tuple[list[tuple[int, PlannedText]], int]:
        """The next texts for which there is room now, at least one if nothing is active; how many tokens they read."""
        found: list[tuple[int, PlannedText]] = []
        read = 0
        largest = max((active.size for active in self._active), default=0)
        for text, planned in self._planned[self._next : self._next + self._room.texts - len(self._active)]:
            new = len(planned.request.context) - planned.request.shared
            largest = max(largest, _size(planned))
            # Slots are as large as the largest.
            cached = (len(self._active) + len(found) + 1) * largest
            is_full = cached > self._room.cached_tokens or (found and read + new > self._room.pass_tokens)
            if is_full and (found or self._active):
                break
            found.append((text, planned))
            read += new
        return found, read


def planned_texts(requests: Sequence[Request], most: int, decoder: TextDecoder) -> list[tuple[int, PlannedText]]:
    """The order in which texts are started, each with its number.

    Args:
        requests: the contexts.
        most: the maximum number of new tokens.
        decoder: says whether contexts can share beginnings. Where they cannot, those of similar length are neighbours.
    """
    if not decoder.shares_beginnings:
        by_length = sorted(range(len(requests)), key=lambda text: -len(requests[text].context))
        return [(text, PlannedText(requests[text], None, most)) for text in by_length]
    order = order_by_prefix([request.context for request in requests])
    shared = [*order.shared, 0]
    planned = [
        PlannedText(replace(requests[text], shared=shared[place], kept=shared[place + 1]), None, most)
        for place, text in enumerate(order.indices)
    ]
    for group in shared_beginnings(order.shared):
        beginning = SharedBeginning(decoder.lead_tokens + group.tokens, group.after - group.first)
        for place in range(group.first, group.after):
            planned[place] = planned[place]._replace(beginning=beginning)
    return list(zip(order.indices, planned, strict=True))


def _size(planned: PlannedText) -> int:
    """The most tokens that the slot of a text holds."""
    shared = 0 if planned.beginning is None else planned.beginning.tokens
    return len(planned.request.context) + planned.most - shared
