"""Decides which rows of unequal length go through a network together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_TOKENS_TOGETHER = 2048
"""With fewer tokens, weights are read from memory more often; with more, the backward pass keeps too much. With this
number, peak memory stays below that of a plain loop over the same batches (benchmarks/alignment/)."""

_LOGITS_TOGETHER = 2**22
"""16 MB in float32; a loss keeps a few times as much."""


class TargetRow(NamedTuple):
    """One prompt and the target that follows it, as token ids. Neither is empty."""

    context: tuple[int, ...]
    target: tuple[int, ...]


def merge_small_batches(batches: Sequence[Sequence[TargetRow]], vocabulary: int) -> list[range]:
    """Merge consecutive batches while they stay small enough for memory.

    For a pass without padding, which gives the same numbers for more rows at once: weights are then read once for more
    target tokens, and shared prefixes are computed once. The result depends on the rows alone, so a resumed training
    merges the same batches.

    Args:
        batches: the rows of each.
        vocabulary: the number of tokens in it.

    Returns:
        Runs of indices into `batches`, every index once, in order.
    """
    found: list[range] = []
    start = 0
    for index in range(1, len(batches) + 1):
        if index == len(batches) or not _is_small(
            [row for batch in batches[start : index + 1] for row in batch], vocabulary
        ):
            found.append(range(start, index))
            start = index
    return found


def _is_small(rows: Sequence[TargetRow], vocabulary: int) -> bool:
    # Targets are padded to the longest, because the loss reads one rectangle of logits.
    logits = len(rows) * max(len(row.target) for row in rows) * vocabulary
    # A prompt that several rows have, as those of its options, is computed once.
    tokens = sum(map(len, {row.context for row in rows})) + sum(len(row.target) for row in rows)
    return tokens <= _TOKENS_TOGETHER and logits <= _LOGITS_TOGETHER


def bucket_by_length(lengths: Sequence[int], *, batch_costs: int) -> list[list[int]]:
    """Cut rows into batches so that padding and batches together cost least.

    Args:
        lengths: the tokens of each row.
        batch_costs: the fixed cost of a batch, in tokens.

    Returns:
        Batches of indices into `lengths`, every index once, shorter rows first.
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    # Dynamic programming: in sorted order, some cheapest plan has consecutive rows in each batch.
    # best[end]: the least cost of the first `end` rows, and where their last batch begins.
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(order) + 1):
        longest = lengths[order[end - 1]]
        best.append(min((best[start][0] + longest * (end - start) + batch_costs, start) for start in range(end)))
    batches: list[list[int]] = []
    end = len(order)
    while end:
        start = best[end][1]
        batches.insert(0, order[start:end])
        end = start
    return batches
