"""Which texts share a beginning that is worth storing once, so that all of them attend to it together. Plain data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LEAST_SAVED_TOKENS = 512
"""A shared beginning must save reading this number of keys per new token: each costs further calls in every layer."""


class Beginning(NamedTuple):
    """Consecutive texts of a sorted list, and the number of first tokens that all of them share."""

    first: int
    after: int
    tokens: int


class _Node(NamedTuple):
    """Consecutive texts: one group, or parts that are better apart.

    Attributes:
        first, after: the texts.
        saved: how many tokens the groups below save.
        tokens: what all share, if they are one group; else 0.
        parts: the parts otherwise; empty for one text.
    """

    first: int
    after: int
    saved: int
    tokens: int = 0
    parts: tuple[_Node, ...] = ()


def shared_beginnings(shared: Sequence[int], *, least: int = LEAST_SAVED_TOKENS) -> list[Beginning]:
    """Groups that save much: a group of n texts with a beginning of t tokens saves (n - 1) t.

    Args:
        shared: of each text in sorted order, how many first tokens it shares with the one before it; the first entry
            has no meaning.
        least: groups that save less are left out.
    """
    if not shared:
        return []
    # Neighbours are joined in descending order of what they share, so that a joined range shares what joined it last.
    starts = {place: _Node(place, place + 1, 0) for place in range(len(shared))}
    ends = {node.after: node for node in starts.values()}
    by_size: dict[int, list[int]] = {}
    for place in range(1, len(shared)):
        by_size.setdefault(shared[place], []).append(place)
    for size in sorted(by_size, reverse=True):
        places = dict.fromkeys(by_size[size])
        while places:
            chain = [ends.pop(next(iter(places)))]
            while chain[-1].after in places:
                del places[chain[-1].after]
                chain.append(starts.pop(chain[-1].after))
                ends.pop(chain[-1].after, None)
            node = _joined(chain, size)
            starts[node.first] = ends[node.after] = node
    found: list[Beginning] = []
    waiting = [starts[0]]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.parts)
        if node.tokens and node.saved >= least:
            found.append(Beginning(node.first, node.after, node.tokens))
    return found


def _joined(chain: Sequence[_Node], size: int) -> _Node:
    """Neighbours that share `size` tokens, each apart or in one group with some next to it, whichever saves more."""
    # Of every beginning of the chain: the best, and the best that ends in a group; where that group begins.
    best = [0]
    in_group: list[tuple[int, int]] = []
    grouped: list[bool] = []
    for place, node in enumerate(chain):
        texts = node.after - node.first
        alone = best[-1] + size * (texts - 1), place
        longer = (in_group[-1][0] + size * texts, in_group[-1][1]) if in_group else alone
        in_group.append(max(alone, longer, key=lambda each: each[0]))
        grouped.append(in_group[-1][0] > best[-1] + node.saved)
        best.append(max(best[-1] + node.saved, in_group[-1][0]))
    parts: list[_Node] = []
    place = len(chain) - 1
    while place >= 0:
        if grouped[place]:
            begin = in_group[place][1]
            first, after = chain[begin].first, chain[place].after
            parts.append(_Node(first, after, size * (after - first - 1), size))
            place = begin - 1
        else:
            parts.append(chain[place])
            place -= 1
    if len(parts) == 1:
        return parts[0]
    return _Node(chain[0].first, chain[-1].after, best[-1], 0, tuple(reversed(parts)))
