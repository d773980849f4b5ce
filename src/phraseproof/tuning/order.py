"""Which examples a step trains on: a function of the seed and the step alone, so resuming needs no state."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence


class ExampleOrder:
    """Every epoch goes through all examples once, in its own order; its last step has the rest of them.

    Args:
        count: the number of examples, at least 1.
        examples_per_step: the number of examples of a step.
        seed: of the orders.
    """

    def __init__(self, count: int, examples_per_step: int, seed: int) -> None:
        self._count, self._batch_size, self._seed = count, examples_per_step, seed
        self._epoch = functools.lru_cache(maxsize=2)(self._draw)

    @property
    def steps_per_epoch(self) -> int:
        """The number of steps that go through the examples once."""
        return -(-self._count // self._batch_size)

    def step(self, step: int) -> list[int]:
        """The examples of a step, counted from 0."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return self._epoch(epoch)[place * self._batch_size : (place + 1) * self._batch_size]

    def _draw(self, epoch: int) -> list[int]:
        def rank(example: int) -> bytes:
            return hashlib.blake2b(f"{self._seed}/order/{epoch}/{example}".encode(), digest_size=16).digest()

        return sorted(range(self._count), key=rank)


def micro_batches(
    chosen: Sequence[int], lengths: Sequence[int], *, size: int, process: int, processes: int
) -> list[list[int]]:
    """What one process runs of a step's examples, at most `size` at once. Examples of similar length are together.

    Args:
        chosen: the examples of the step.
        lengths: of all examples, in tokens.
        size: the largest number of examples in one pass.
        process, processes: the number of this process, and of all.

    Returns:
        Equally many passes for every process; a process that has fewer examples ends in empty ones.
    """
    ranked = sorted(chosen, key=lambda example: (lengths[example], example))
    own = ranked[process::processes]
    most = -(-len(ranked) // processes)
    return [own[start : start + size] for start in range(0, most, size)]
