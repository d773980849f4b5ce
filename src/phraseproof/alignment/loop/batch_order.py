"""Which paraphrase sets and wordings each batch holds: a function of the seed alone, so resuming needs no state."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import NamedTuple


class SetShape(NamedTuple):
    """What the order needs to know about a paraphrase set.

    Attributes:
        reference: the reference wording; two sets in a batch should have different ones.
        paraphrases, negations: how many there are.
        wordings: the keys of the reference and the paraphrases, for batches of one wording: sets that share wordings
            draw the same one in a step. Empty otherwise.
    """

    reference: str
    paraphrases: int
    negations: int
    wordings: tuple[str, ...] = ()


class Draw(NamedTuple):
    """A set in a batch, with the indices of its wordings that take part, ascending.

    With `has_reference` off, the reference wording is left out: the batch holds the one paraphrase that was drawn.
    """

    pair: int
    paraphrases: tuple[int, ...]
    negations: tuple[int, ...]
    has_reference: bool = True

    @property
    def prompts(self) -> int:
        """The number of prompts that are read, whatever the number of options."""
        return self.has_reference + len(self.paraphrases) + len(self.negations)


class BatchOrder:
    """An endless sequence of batches. Every epoch goes through all sets, in its own order.

    Args:
        shapes: the sets; at least `references`.
        references: the number of sets in a batch. If the number of sets is not a multiple, an epoch skips the last few.
        wordings: the maximum number of paraphrases, and of negations, of a set in a batch.
        seed: the seed of all draws.
        batches_per_draw: every set has one wording in a batch, the reference or a paraphrase, drawn again after this
            number of batches; `None` for sets with their reference and up to `wordings` paraphrases.
    """

    def __init__(
        self,
        shapes: Sequence[SetShape],
        *,
        references: int,
        wordings: int,
        seed: int,
        batches_per_draw: int | None = None,
    ) -> None:
        assert len(shapes) >= references, "checked before training"
        self._shapes = shapes
        self._references = references
        self._wordings = wordings
        self._seed = seed
        self._batches_per_draw = batches_per_draw
        self._epoch = functools.lru_cache(maxsize=2)(self._draw_epoch)

    @property
    def batches_per_epoch(self) -> int:
        """The number of batches that go through the sets once."""
        return len(self._shapes) // self._references

    def batch(self, index: int) -> list[Draw]:
        """The batch at that index, counted from the start of training."""
        epoch, place = divmod(index, self.batches_per_epoch)
        start = place * self._references
        pairs = self._epoch(epoch)[start : start + self._references]
        if self._batches_per_draw is not None:
            return [self._draw_one(pair, index // self._batches_per_draw) for pair in pairs]
        return [self._draw(pair, epoch) for pair in pairs]

    def _draw_epoch(self, epoch: int) -> list[int]:
        order = self._ranked(range(len(self._shapes)), "order", epoch)
        if self._references == 1:
            return order
        # With several sets in a batch, each should have another reference: take the next set that does, if any is left.
        batches: list[int] = []
        while order:
            batches.append(order.pop(0))
            while len(batches) % self._references and order:
                taken = {self._shapes[pair].reference for pair in batches[-(len(batches) % self._references) :]}
                others = (i for i, pair in enumerate(order) if self._shapes[pair].reference not in taken)
                batches.append(order.pop(next(others, 0)))
        return batches

    def _draw(self, pair: int, epoch: int) -> Draw:
        shape = self._shapes[pair]
        paraphrases = self._ranked(range(shape.paraphrases), "paraphrases", epoch, pair)[: self._wordings]
        negations = self._ranked(range(shape.negations), "negations", epoch, pair)[: self._wordings]
        return Draw(pair, tuple(sorted(paraphrases)), tuple(sorted(negations)))

    def _draw_one(self, pair: int, draw: int) -> Draw:
        """One wording, the first one by a hash of seed, draw and wording."""
        keys = self._shapes[pair].wordings
        prefix = f"{self._seed}/one/{draw}"
        chosen = min(range(len(keys)), key=lambda place: _digest(f"{prefix}/{keys[place]}"))
        return Draw(pair, (chosen - 1,) if chosen else (), (), has_reference=not chosen)

    def _ranked(self, items: range, *key: object) -> list[int]:
        prefix = "/".join(map(str, (self._seed, *key)))
        return sorted(items, key=lambda item: _digest(f"{prefix}/{item}"))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
