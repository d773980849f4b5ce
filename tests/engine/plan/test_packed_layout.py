"""The plan of a pass: each token sees exactly what it would see if its own sequence were computed alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.engine.plan.packed_layout import PackedPrompt, PackedRow, Span, beginning, joined, pack_prompts
from phraseproof.engine.plan.prefix_tree import order_by_prefix, token_trie

contexts_ = st.lists(
    st.lists(st.integers(0, 2), min_size=1, max_size=14).map(tuple), min_size=1, max_size=6, unique=True
)
options_ = st.lists(st.lists(st.integers(3, 6), min_size=1, max_size=4).map(tuple), min_size=1, max_size=4)


def parts_of(contexts: list[tuple[int, ...]], options: list[list[tuple[int, ...]]]) -> list[PackedPrompt]:
    order = order_by_prefix(contexts)
    return [
        PackedPrompt(np.asarray(contexts[index], dtype=np.int32), shared, token_trie(options[place]))
        for place, (index, shared) in enumerate(zip(order.indices, order.shared, strict=True))
    ]


def places_of(spans: tuple[Span, ...]) -> list[int]:
    return [place for first, after in spans for place in range(first, after)]


def seen_tokens(row: PackedRow, held: list[int], unit: int, window: int | None = None) -> list[list[tuple[int, int]]]:
    """For each of a unit's tokens, the (token, position) that it sees, by position."""
    tokens = [*held, *row.tokens.tolist()]
    positions = [*range(len(held)), *row.positions.tolist()]
    places = places_of(row.units[unit].keys)
    return [
        sorted(
            ((tokens[places[key]], positions[places[key]]) for key in np.flatnonzero(sees)), key=lambda seen: seen[1]
        )
        for sees in row.units[unit].visible(window)
    ]


@given(st.data(), contexts_, st.none() | st.integers(1, 6))
def test_every_token_sees_its_own_sequence(
    data: st.DataObject, contexts: list[tuple[int, ...]], window: int | None
) -> None:
    parts = parts_of(contexts, [data.draw(options_) for _ in contexts])
    held = data.draw(st.integers(0, len(parts[0].context) - 1))
    row = pack_prompts(parts, held)
    computed = 0
    for index, (part, unit) in enumerate(zip(parts, row.units, strict=True)):
        context, tree = part.context.tolist(), part.tree
        assert row.units[index - 1].stop == unit.start if index else unit.start == 0
        seen = seen_tokens(row, parts[0].context.tolist()[:held], index, window)
        sequences = [context[: unit.past + own + 1] for own in range(unit.line)]
        chains = {node: path[1 : place + 1] for path in tree.paths for place, node in enumerate(path) if place}
        sequences += [context + [tree.tokens[link] for link in chains[node]] for node in range(len(tree.tokens))]
        for found, sequence in zip(seen, sequences, strict=True):
            first = 0 if window is None else max(0, len(sequence) - window)
            assert found == list(zip(sequence[first:], range(first, len(sequence)), strict=True))
        computed += len(sequences)
    assert computed == len(row.tokens)
    assert places_of(row.path) == places_of(beginning(row.path, len(parts[-1].context)))
    tokens = [*parts[0].context.tolist()[:held], *row.tokens.tolist()]
    assert [tokens[place] for place in places_of(row.path)] == parts[-1].context.tolist()


@given(st.data(), contexts_)
def test_every_option_is_read_where_its_tokens_are_predicted(
    data: st.DataObject, contexts: list[tuple[int, ...]]
) -> None:
    parts = parts_of(contexts, [data.draw(options_) for _ in contexts])
    row = pack_prompts(parts, 0)
    assert row.scored == sorted(set(row.scored))
    found: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for pick in row.picks:
        found.setdefault((pick.part, pick.option), []).append((int(row.positions[row.scored[pick.rank]]), pick.token))
    for index, part in enumerate(parts):
        for option, targets in enumerate(part.tree.targets):
            last = len(part.context) - 1
            assert found[index, option] == list(zip(range(last, last + len(targets)), targets, strict=True))


@pytest.mark.parametrize(
    ("spans", "count", "expected"),
    [(((0, 3), (5, 9)), 5, ((0, 3), (5, 7))), (((2, 4),), 0, ()), (((2, 4),), 9, ((2, 4),)), ((), 3, ())],
)
def test_the_beginning_of_spans(spans: tuple[Span, ...], count: int, expected: tuple[Span, ...]) -> None:
    assert beginning(spans, count) == expected


def test_spans_that_touch_are_one() -> None:
    assert joined(((0, 3), (3, 5), (7, 8), (8, 9))) == ((0, 5), (7, 9))
