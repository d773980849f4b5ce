"""Prefix sharing: which tokens of many prompts are computed once, as plain data.

No model is involved. Prompts of a decoder-only model are sorted by their tokens, so that each shares the longest
possible prefix with the one before it. The options of a prompt become a token trie.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.engine.plan.batching import BatchLimit, shared_tokens, token_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_SHARED_TOKENS = 4
"""Shorter prefixes are computed again, which costs less than reading their keys and values from another place."""


class PrefixOrder(NamedTuple):
    """The order in which contexts are computed, and the prefix that each shares.

    Attributes:
        indices: every context once.
        shared: parallel to `indices`; the length of the prefix that was computed with the context before it.
    """

    indices: list[int]
    shared: list[int]


def order_by_prefix(contexts: Sequence[Sequence[int] | NDArray[np.int32]]) -> PrefixOrder:
    """Sort contexts by their tokens. The last token of each is always computed, because it predicts the options."""
    keys = [token_bytes(context) for context in contexts]
    # In sorted order, no earlier context shares a longer prefix with a context than the one directly before it.
    indices = sorted(range(len(keys)), key=keys.__getitem__)
    shared: list[int] = []
    previous = b""
    for index in indices:
        count = min(shared_tokens(previous, keys[index]), len(contexts[index]) - 1)
        shared.append(count if count >= MIN_SHARED_TOKENS else 0)
        previous = keys[index]
    return PrefixOrder(indices, shared)


def cut_in_order(costs: Sequence[int], limit: BatchLimit) -> list[list[int]]:
    """Consecutive batches of items without padding between them.

    Args:
        costs: the tokens of each item.
        limit: how large a batch may grow; a batch's tokens are the sum over its items. A single item always fits.

    Returns:
        Indices into `costs`, in order.
    """
    batches: list[list[int]] = []
    total = 0
    for index, cost in enumerate(costs):
        full = not batches or (
            (limit.items is not None and len(batches[-1]) >= limit.items)
            or (limit.tokens is not None and total + cost > limit.tokens)
        )
        if full:
            batches.append([])
            total = 0
        batches[-1].append(index)
        total += cost
    return batches


class TokenTrie(NamedTuple):
    """The tokens that a model reads to score a prompt's options, each shared prefix once.

    Attributes:
        tokens: one per node; a node comes after its parent.
        parents: each node's parent, or -1 for the end of the prompt.
        depths: the number of nodes from the prompt to each node, 1 for those directly after the prompt.
        paths: for each option, the nodes that predict its tokens, one per token, beginning with -1, the prompt's end.
        targets: each option's tokens.
    """

    tokens: list[int]
    parents: list[int]
    depths: list[int]
    paths: list[list[int]]
    targets: list[tuple[int, ...]]

    def ancestry(self) -> NDArray[np.bool_]:
        """Whether a node (row) sees another (column), [nodes, nodes]: itself and its ancestors."""
        count = len(self.tokens)
        sees = np.eye(count, dtype=np.bool_)
        # A parent comes before its children, so its own row is complete when they copy it.
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                sees[node] |= sees[parent]
        return sees

    def scored(self) -> list[int]:
        """The nodes that predict something, in order; -1, the prompt's end, is always the first."""
        return sorted({node for path in self.paths for node in path})


def token_trie(options: Sequence[Sequence[int]]) -> TokenTrie:
    """The trie of the options' tokens. An option's last token is only predicted, never read.

    Args:
        options: token ids of each option, none empty.
    """
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    paths: list[list[int]] = []
    # One dictionary for the whole trie: a call has thousands of small tries, and objects per node would cost more.
    children: dict[tuple[int, int], int] = {}
    for option in options:
        node = -1
        path = [node]
        for token in option[:-1]:
            child = children.setdefault((node, token), len(tokens))
            if child == len(tokens):
                tokens.append(token)
                parents.append(node)
                depths.append(1 if node < 0 else depths[node] + 1)
            node = child
            path.append(node)
        paths.append(path)
    return TokenTrie(tokens, parents, depths, paths, [tuple(option) for option in options])
