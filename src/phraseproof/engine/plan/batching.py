"""Cuts work into batches, by arithmetic over lengths alone; no model is involved."""

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
    """The default number of tokens per batch: 1,024 on a CPU, 16,384 on an accelerator.

    On a CPU larger batches make the matrix products no faster, and with padding they waste more of it: on the shapes of
    `benchmarks/shapes.py`, 1,024 tokens without padding took 0.93 times the CPU time of 512, and as much as 2,048.
    """
    return 1024 if device.partition(":")[0] == "cpu" else 16384


def plan_batches(lengths: Sequence[int], limit: BatchLimit) -> list[list[int]]:
    """Cut items into batches of similar length, the longest first, so that a batch that is too large fails early.

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
            # The first item of a batch is its longest, because the order is descending.
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
    """Run batches one after the other; halve a batch that does not fit in memory, and later ones of its size.

    Args:
        batches, lengths: a plan, and the tokens of each item, as for `plan_batches`.
        run: computes one batch; it has no effect if it raises.
        out_of_memory: whether an exception means that memory ran out; any other exception is raised unchanged.
        release: called after memory ran out, to free what it can.

    Yields:
        Each computed batch, with its result.

    Raises:
        ModelError: a single item does not fit in memory.
    """
    waiting = deque(list(batch) for batch in batches)
    largest: int | None = None
    while waiting:
        batch = waiting.popleft()
        size = max(lengths[index] for index in batch) * len(batch)
        # Halved without a try: the device has already failed on this size, and each failure costs a pass.
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
        # Outside the handler: the exception refers to the frames and so to the tensors that must be freed first.
        release()
        largest = size // 2
        # `extendleft` reverses, so the halves are reversed before: prefix sharing needs the order of the plan.
        waiting.extendleft(reversed(_halves(batch)))


class SharedRows(NamedTuple):
    """Token sequences without those that are a prefix of another one.

    Attributes:
        rows: the sequences that are no prefix of another one, longest first.
        row_of: for each sequence given, the index of a row that begins with it.
    """

    rows: list[tuple[int, ...]]
    row_of: list[int]


def share_rows(sequences: Sequence[tuple[int, ...]]) -> SharedRows:
    """Find the fewest rows such that every sequence is a prefix of one.

    In a causal model the states at a row's beginning do not depend on what follows, so one row serves them all.
    """
    rows: list[tuple[int, ...]] = []
    row_of: list[int] = [0] * len(sequences)
    holder: dict[tuple[int, ...], int] = {}
    # Longest first, so that a sequence is met after all that could contain it.
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
    """Tokens as big-endian bytes: they sort as the tokens do, and comparing them needs no loop in Python."""
    return np.asarray(tokens, dtype=">u4").tobytes()


def shared_tokens(one: bytes, other: bytes) -> int:
    """The length in tokens of the common prefix of two sequences from `token_bytes`."""
    # A binary search over slices: a few comparisons of bytes instead of a loop over thousands of tokens.
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
