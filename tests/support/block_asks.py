"""Generated sequences for `engine/plan/attention_blocks.py`, and the keys that each of their queries must see."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from phraseproof.engine.plan.attention_blocks import AttentionQuery

_SEEDS = st.integers(0, 2**32)


@st.composite
def asks(draw: st.DrawFn) -> list[AttentionQuery]:
    """Sequences one after the other in a row, with keys at any places, and some tokens without a query."""
    found: list[AttentionQuery] = []
    start = 0
    for _ in range(draw(st.integers(1, 12))):
        queries, silent = draw(st.integers(1, 9) | st.integers(15, 40)), draw(st.integers(0, 2))
        asking = np.arange(start, start + queries)
        start += queries + silent
        kind = draw(st.sampled_from(["causal", "all", "some"]))
        if kind == "causal":
            found.append(AttentionQuery(asking, 50 + asking, causal=True))
            continue
        seen = np.random.default_rng(draw(_SEEDS)).permutation(401)[: draw(st.integers(1, 200))]
        visible = None
        if kind == "some":
            visible = np.random.default_rng(draw(_SEEDS)).random((queries, len(seen))) < 0.5
            visible[:, 0] = True
        found.append(AttentionQuery(asking, seen, visible))
    return found


def row_of(some: list[AttentionQuery]) -> int:
    return int(some[-1].asking[-1]) + 3


def pairs(ask: AttentionQuery) -> list[tuple[int, set[int]]]:
    """Each query's place, and the places that it sees."""
    if ask.causal:
        return [(int(place), set(ask.seen[: number + 1].tolist())) for number, place in enumerate(ask.asking)]
    visible = np.ones((len(ask.asking), len(ask.seen)), bool) if ask.visible is None else ask.visible
    return [(int(place), set(ask.seen[sees].tolist())) for place, sees in zip(ask.asking, visible, strict=True)]
