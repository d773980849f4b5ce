"""How work is cut into batches: plain arithmetic over lengths, apart from any model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from phraseproof.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Result = TypeVar("Result")

TOKEN_BYTES = 4
"""The size of a token in `token_bytes`."""


class BatchLimit(NamedTuple):
    """How large one batch may grow.

    Attributes:
        items: the most items in a batch, or `None` for any number.
        tokens: the most tokens in a batch, padding included, or `None` for any number. One item alone always fits.
    """

    items: int | None = None
    tokens: int | None = None


def batch_tokens(device: str) -> int:
    """How many tokens a batch holds unless the user says so: 1,024 on a CPU, 16,384 on an accelerator.

    On a CPU larger batches gain nothing in the matrix products, and lose to padding where there is any: on the shapes
    of `benchmarks/shapes.py` 1,024 tokens without padding took 0.93 times the CPU time of 512, and as much as 2,048.
    """
    return 1024 if device.partition(":")[0] == "cpu" else 16384


def plan_batches(lengths: Sequence[int], limit: BatchLimit) -> list[list[int]]:
    """Cut items into batches of similar length, the longest first, so that a batch too large shows at once.

    Args:
        lengths: the tokens of each item.
        limit: how large a batch may grow; a batch's tokens are its longest item's times its number of items.

    Returns:
        Batches of indices into `lengths`; every index once.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches: list[list[int]] = []
    batch: list[int] = []
    for index in order:
        full = batch and (
            (limit.items is not None and len(batch) >= limit.items)
            or (limit.tokens is not None and lengths[batch[0]] * (len(batch) + 1) > limit.tokens)
        )
        if full:
            batches.append(batch)
            batch = []
        batch.append(index)
    if batch:
        batches.append(batch)
    return batches


def run_batches(
    batches: Sequence[Sequence[int]],
    lengths: Sequence[int],
    run: Callable[[Sequence[int]], Result],
    *,
    out_of_memory: Callable[[Exception], bool],
    release: Callable[[], None],
) -> Iterator[tuple[Sequence[int], Result]]:
    """Run batches one after another; one that does not fit in memory is halved, and so are later ones of its size.

    Args:
        batches, lengths: a plan, and the tokens of each item, as for `plan_batches`.
        run: computes one batch, whole or not at all.
        out_of_memory: tells whether an exception means that memory ran out; any other is raised as it is.
        release: called after memory ran out, to hand back what it can.

    Yields:
        Each batch that was run, with its result.

    Raises:
        ModelError: when one item alone does not fit.
    """
    waiting = deque(list(batch) for batch in batches)
    largest: int | None = None
    while waiting:
        batch = waiting.popleft()
        size = max(lengths[index] for index in batch) * len(batch)
        if largest is not None and size > largest and len(batch) > 1:
            waiting.extendleft(reversed(_halves(batch)))
            continue
        try:
            result = run(batch)
        except Exception as error:
            if not out_of_memory(error):
                raise
            if len(batch) == 1:
                raise ModelError(
                    f"memory ran out on a single prompt of about {lengths[batch[0]]} tokens",
                    hint="Try --dtype bfloat16, --max-length 1024, or a larger device",
                ) from error
        else:
            yield batch, result
            continue
        # Outside the handler: the exception holds the frames, and through them the tensors, that must go first.
        release()
        largest = size // 2
        waiting.extendleft(reversed(_halves(batch)))


class SharedRows(NamedTuple):
    """Token sequences with those that begin another one left out.

    Attributes:
        rows: the sequences that no other one continues, longest first.
        row_of: for each sequence given, the index of a row that begins with it.
    """

    rows: list[tuple[int, ...]]
    row_of: list[int]


def share_rows(sequences: Sequence[tuple[int, ...]]) -> SharedRows:
    """Find the fewest rows that hold every sequence as a beginning.

    In a causal model the states at a row's beginning do not depend on what follows, so one row serves them all.
    """
    rows: list[tuple[int, ...]] = []
    row_of: list[int] = [0] * len(sequences)
    holder: dict[tuple[int, ...], int] = {}
    for index in sorted(range(len(sequences)), key=lambda index: -len(sequences[index])):
        sequence = sequences[index]
        row = holder.get(sequence)
        if row is None:
            row = len(rows)
            rows.append(sequence)
            for end in range(len(sequence) + 1):
                holder.setdefault(sequence[:end], row)
        row_of[index] = row
    return SharedRows(rows, row_of)


def token_bytes(tokens: Sequence[int] | NDArray[np.int32]) -> bytes:
    """Tokens as big-endian bytes, which sort as the tokens do and are compared at the speed of memory."""
    return np.asarray(tokens, dtype=">u4").tobytes()


def shared_tokens(one: bytes, other: bytes) -> int:
    """How many tokens two sequences, each as `token_bytes` makes it, have in common at their beginnings."""
    low, high = 0, min(len(one), len(other)) // TOKEN_BYTES
    while low < high:
        middle = (low + high + 1) // 2
        if one[: middle * TOKEN_BYTES] == other[: middle * TOKEN_BYTES]:
            low = middle
        else:
            high = middle - 1
    return low


def _halves(batch: Sequence[int]) -> list[list[int]]:
    middle = (len(batch) + 1) // 2
    return [list(batch[:middle]), list(batch[middle:])]
