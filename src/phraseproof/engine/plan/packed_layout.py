"""The plan of one pass over many prompts: one row of tokens without padding, and who attends to what. Plain data.

Places count what is held from earlier passes first, then the row's own tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.engine.plan.prefix_tree import TokenTrie

if TYPE_CHECKING:
    from numpy.typing import NDArray

Span = tuple[int, int]
"""A run of places, from the first to before the second."""


class PackedPrompt(NamedTuple):
    """One prompt of a batch, with the options that follow it.

    Attributes:
        context: its tokens, those that are shared included.
        shared: how many of them, from the first, the part before it has, too.
        tree: its options.
    """

    context: NDArray[np.int32]
    shared: int
    tree: TokenTrie


class PackedSequence(NamedTuple):
    """One prompt's own tokens in the row: the new ones of its context, then the nodes of its token trie.

    Attributes:
        start, stop: where they are in the row.
        keys: the places that they attend to: what came before them in their prompt, then themselves.
        past: how many places came before.
        line: how many of its tokens are context.
        tree: its options.
        scored: the places in the row whose output is wanted.
    """

    start: int
    stop: int
    keys: tuple[Span, ...]
    past: int
    line: int
    tree: TokenTrie
    scored: tuple[int, ...]

    def visible(self, window: int | None = None) -> NDArray[np.bool_]:
        """[own tokens, past + own tokens]: who attends to whom.

        Args:
            window: only tokens less than so many positions back are seen.
        """
        own, nodes = self.stop - self.start, self.stop - self.start - self.line
        sees = np.tri(own, self.past + own, self.past, dtype=np.bool_)
        if nodes:
            sees[self.line :, self.past + self.line :] = self.tree.ancestry()
        if window is not None:
            ends = np.arange(self.past + self.line)
            positions = np.concatenate([ends, len(ends) - 1 + np.asarray(self.tree.depths, dtype=np.int64)])
            sees &= positions[self.past :, None] - positions[None] < window
        return sees


class GatherIndex(NamedTuple):
    """Where a log-probability is gathered: of `token`, at the scored place of that rank, for an option of a prompt."""

    part: int
    option: int
    rank: int
    token: int


class PackedRow(NamedTuple):
    """One pass.

    Attributes:
        tokens, positions: of the row's tokens, int64.
        units: one per prompt.
        scored: the row's tokens whose output is wanted, in order.
        picks: what is wanted of it.
        path: the places of the last part's whole context, for passes that continue from it.
    """

    tokens: NDArray[np.int64]
    positions: NDArray[np.int64]
    units: list[PackedSequence]
    scored: list[int]
    picks: list[GatherIndex]
    path: tuple[Span, ...]


def pack_prompts(parts: Sequence[PackedPrompt], held: int) -> PackedRow:
    """Lay the prompts' tokens out in one row, each shared prefix once.

    Args:
        parts: in the order of their contexts' tokens.
        held: how many of the first part's first tokens were computed in an earlier pass. At least one is not.
    """
    tokens: list[NDArray[np.int64]] = []
    positions: list[NDArray[np.int64]] = []
    units: list[PackedSequence] = []
    scored: list[int] = []
    picks: list[GatherIndex] = []
    path: tuple[Span, ...] = ((0, held),) if held else ()
    start = 0
    for index, (context, shared, tree) in enumerate(parts):
        past = shared if index else held
        path = beginning(path, past)
        new, nodes = len(context) - past, len(tree.tokens)
        stop = start + new + nodes
        tokens += [context[past:].astype(np.int64), np.asarray(tree.tokens, dtype=np.int64)]
        positions += [np.arange(past, len(context)), len(context) - 1 + np.asarray(tree.depths, dtype=np.int64)]
        ranks = {node: len(scored) + rank for rank, node in enumerate(tree.scored())}
        own_scored = tuple(start + new + node for node in ranks)
        scored += own_scored
        keys = joined((*path, (held + start, held + stop)))
        units.append(PackedSequence(start, stop, keys, past, new, tree, own_scored))
        for option, nodes_of_option in enumerate(tree.paths):
            picks += [
                GatherIndex(index, option, ranks[node], token)
                for node, token in zip(nodes_of_option, tree.targets[option], strict=True)
            ]
        path = joined((*path, (held + start, held + start + new)))
        start = stop
    return PackedRow(np.concatenate(tokens), np.concatenate(positions), units, scored, picks, path)


def beginning(spans: Sequence[Span], count: int) -> tuple[Span, ...]:
    """The first `count` places of the spans."""
    found: list[Span] = []
    for first, after in spans:
        if count <= 0:
            break
        found.append((first, min(after, first + count)))
        count -= after - first
    return tuple(found)


def joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same places in fewer spans, where one begins as the other ends."""
    found: list[Span] = []
    for first, after in spans:
        if found and found[-1][1] == first:
            found[-1] = (found[-1][0], after)
        else:
            found.append((first, after))
    return tuple(found)
