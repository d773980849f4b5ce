"""Which tokens one call of llama.cpp computes, and which sequences each belongs to. Plain data.

llama.cpp lets a token belong to several sequences: it is computed once, and every one of them sees it. So the prompts
of a batch and their options are one tree of shared beginnings, with one sequence per leaf. Sequence 0, the trunk, keeps
the beginning that the next batch shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.prefix_tree import TokenTrie, order_by_prefix, token_trie
from phraseproof.engine.plan.request import Request

TRUNK = 0


class Leaf(NamedTuple):
    """A sequence of a batch, and how many of the trunk's first tokens it begins with."""

    sequence: int
    held: int


class LogprobPlace(NamedTuple):
    """Where a log-probability is read: of `token`, after the batch's token `row`, for an option of a request."""

    request: int
    option: int
    row: int
    token: int


class SequenceBatch(NamedTuple):
    """One call of llama.cpp.

    Attributes:
        kept: how many of the trunk's tokens stay in memory.
        tokens, positions: of each token that is computed.
        sequences: those that each token belongs to.
        leaves: the sequences of the batch.
        scored: whether the logits of each token are read.
        places: the log-probabilities that are read.
        last: the sequence that the trunk becomes, and its number of context tokens.
        requests: those that this batch finishes.
    """

    kept: int
    tokens: list[int]
    positions: list[int]
    sequences: list[list[int]]
    leaves: list[Leaf]
    scored: list[bool]
    places: list[LogprobPlace]
    last: Leaf
    requests: list[int]

    @property
    def cells(self) -> int:
        """How many tokens are in memory while it is computed."""
        return self.kept + len(self.tokens)


class _Part(NamedTuple):
    request: int
    first_option: int
    context: tuple[int, ...]
    tree: TokenTrie
    leaves: int
    is_last: bool


class Plan(NamedTuple):
    """The calls for some requests.

    Attributes:
        batches: in their order, which must be kept.
        computed: how many tokens each request adds.
    """

    batches: list[SequenceBatch]
    computed: list[int]


def plan_sequences(requests: Sequence[Request], limit: BatchLimit, *, max_sequences: int) -> Plan:
    """Order requests by their tokens and cut them into calls.

    Args:
        limit: how large a batch may grow; a single request always fits.
        max_sequences: how many sequences there may be, the trunk included. A request with more leaves is cut in parts.
    """
    parts = [part for index, request in enumerate(requests) for part in _parts(index, request, max_sequences - 1)]
    order = order_by_prefix([part.context for part in parts])
    computed = [0] * len(requests)
    batches: list[SequenceBatch] = []
    some: list[tuple[_Part, int]] = []
    tokens = leaves = 0
    for index, shared in zip(order.indices, order.shared, strict=True):
        part = parts[index]
        cost = len(part.context) - shared + len(part.tree.tokens)
        computed[part.request] += cost
        full = some and (
            (limit.items is not None and len(some) >= limit.items)
            or (limit.tokens is not None and tokens + cost > limit.tokens)
            or leaves + part.leaves > max_sequences - 1
        )
        if full:
            batches.append(_batch(some))
            some, tokens, leaves = [], 0, 0
        some.append((part, shared))
        tokens, leaves = tokens + cost, leaves + part.leaves
    if some:
        batches.append(_batch(some))
    return Plan(batches, computed)


def _parts(index: int, request: Request, most: int) -> Iterator[_Part]:
    context = tuple(request.context.tolist())
    start = 0
    while start < len(request.options):
        stop = len(request.options)
        # Each option adds one leaf at most.
        if stop - start > most and _leaves(token_trie(request.options[start:])) > most:
            stop = start + most
        tree = token_trie(request.options[start:stop])
        yield _Part(index, start, context, tree, max(1, _leaves(tree)), stop == len(request.options))
        start = stop


def _leaves(tree: TokenTrie) -> int:
    return len(tree.tokens) - len({parent for parent in tree.parents if parent >= 0})


def _batch(parts: Sequence[tuple[_Part, int]]) -> SequenceBatch:
    kept = parts[0][1]
    tokens: list[int] = []
    positions: list[int] = []
    sequences: list[list[int]] = []
    scored: list[bool] = []
    leaves: list[Leaf] = []
    places: list[LogprobPlace] = []
    path: list[int] = []  # the batch's tokens of the current context, from position `held` on
    held = kept
    for number, (part, shared) in enumerate(parts):
        known = shared if number else kept
        held = min(held, known)
        path = path[: known - held]
        for place, token in enumerate(part.context[known:], known):
            path.append(len(tokens))
            tokens.append(token)
            positions.append(place)
            sequences.append([])
            scored.append(False)
        end = path[-1]
        base = len(tokens)
        for token, depth in zip(part.tree.tokens, part.tree.depths, strict=True):
            tokens.append(token)
            positions.append(len(part.context) - 1 + depth)
            sequences.append([])
            scored.append(False)
        parents = set(part.tree.parents)
        ends = [node for node in range(len(part.tree.tokens)) if node not in parents] or [-1]
        for node in ends:
            leaf = Leaf(len(leaves) + 1, held)
            leaves.append(leaf)
            for row in path:
                sequences[row].append(leaf.sequence)
            above = node
            while above >= 0:
                sequences[base + above].append(leaf.sequence)
                above = part.tree.parents[above]
        for option, nodes in enumerate(part.tree.paths):
            for node, target in zip(nodes, part.tree.targets[option], strict=True):
                row = end if node < 0 else base + node
                scored[row] = True
                places.append(LogprobPlace(part.request, part.first_option + option, row, target))
    last = parts[-1][0]
    return SequenceBatch(
        kept,
        tokens,
        positions,
        sequences,
        leaves,
        scored,
        places,
        Leaf(leaves[-1].sequence, len(last.context)),
        [part.request for part, _ in parts if part.is_last],
    )
