"""The plan of one pass over many prompts: one row of tokens without padding, and who attends to what. Plain data.

Places are numbered from the tokens that earlier passes computed (held), then go through the row's own tokens.
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
        context: its tokens, including the shared ones.
        shared: the length of the prefix that it shares with the prompt before it.
        tree: the token trie of its options.
    """

    context: NDArray[np.int32]
    shared: int
    tree: TokenTrie


class PackedSequence(NamedTuple):
    """One prompt's own tokens in the row: the new ones of its context, then the nodes of its token trie.

    Attributes:
        start, stop: where the tokens are in the row.
        keys: the places that they attend to: those before them in their prompt, then themselves.
        past: the number of places before them.
        line: how many of the tokens are context.
        tree: the token trie of its options.
        scored: the places in the row whose logits are computed.
    """

    start: int
    stop: int
    keys: tuple[Span, ...]
    past: int
    line: int
    tree: TokenTrie
    scored: tuple[int, ...]

    def visible(self, window: int | None = None) -> NDArray[np.bool_]:
        """Which token attends to which, [own tokens, past + own tokens].

        Args:
            window: tokens see those fewer than this number of positions back; by default all.
        """
        own, nodes = self.stop - self.start, self.stop - self.start - self.line
        sees = np.tri(own, self.past + own, self.past, dtype=np.bool_)
        if nodes:
            # Options are next to each other in the row. Each attends to its own prefix and not to other options.
            sees[self.line :, self.past + self.line :] = self.tree.ancestry()
        if window is not None:
            # Counted in positions, not in places: the first tokens of all options have one position.
            ends = np.arange(self.past + self.line)
            positions = np.concatenate([ends, len(ends) - 1 + np.asarray(self.tree.depths, dtype=np.int64)])
            sees &= positions[self.past :, None] - positions[None] < window
        return sees


class GatherIndex(NamedTuple):
    """Where to gather a log-probability of an option: that of `token`, in the logits of the scored place `rank`.

    `part` and `option` are the numbers of the prompt and of its option.
    """

    part: int
    option: int
    rank: int
    token: int


class PackedRow(NamedTuple):
    """The plan of one pass.

    Attributes:
        tokens, positions: the token ids and positions of the row, int64.
        units: one sequence per prompt.
        scored: the places in the row whose logits are computed, in order.
        picks: the log-probabilities to gather from these logits.
        path: the places of the last prompt's whole context, for the pass that continues from it.
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
        parts: the prompts, sorted by the tokens of their contexts.
        held: how many first tokens of the first prompt were computed in an earlier pass; fewer than its context has.
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
        # `path` leads to the end of the prompt before; of it, only what both contexts share stays visible.
        path = beginning(path, past)
        new, nodes = len(context) - past, len(tree.tokens)
        stop = start + new + nodes
        tokens += [context[past:].astype(np.int64), np.asarray(tree.tokens, dtype=np.int64)]
        positions += [np.arange(past, len(context)), len(context) - 1 + np.asarray(tree.depths, dtype=np.int64)]
        # Node -1 is the end of the context, and `start + new - 1` is its place, so the sum below serves it too.
        ranks = {node: len(scored) + rank for rank, node in enumerate(tree.scored())}
        own_scored = tuple(start + new + node for node in ranks)
        scored += own_scored
        # Joined, because one span of keys is a view and several are copied, in every layer.
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


def rest(spans: Sequence[Span], count: int) -> tuple[Span, ...]:
    """The spans without their first `count` places."""
    found: list[Span] = []
    for first, after in spans:
        skipped = min(count, after - first)
        count -= skipped
        if first + skipped < after:
            found.append((first + skipped, after))
    return tuple(found)


def joined(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Merge spans where one begins at the end of the one before it."""
    found: list[Span] = []
    for first, after in spans:
        if found and found[-1][1] == first:
            found[-1] = (found[-1][0], after)
        else:
            found.append((first, after))
    return tuple(found)
