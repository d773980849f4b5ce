"""The order and batches in which requests are run, and the tokens that each computes. Plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple

from phraseproof.engine.plan.batching import BatchLimit, plan_batches
from phraseproof.engine.plan.prefix_tree import cut_in_order, order_by_prefix, token_trie
from phraseproof.engine.plan.request import Request


class Schedule(NamedTuple):
    """The requests of a call, made ready to run.

    Attributes:
        requests: as given, with `shared` and `kept` filled in.
        batches: indices into `requests`, in the order of running.
        weights: each request's share of a batch, in tokens.
        computed: the tokens that each request runs through the model.
    """

    requests: list[Request]
    batches: list[list[int]]
    weights: list[int]
    computed: list[int]


def padded(requests: Sequence[Request], weights: Sequence[int], computed: Sequence[int], limit: BatchLimit) -> Schedule:
    """Batches of similar length, padded to the longest."""
    return Schedule(list(requests), plan_batches(weights, limit), list(weights), list(computed))


def packed(requests: Sequence[Request], limit: BatchLimit, *, before: int, first: int, scored_weight: int) -> Schedule:
    """Batches without padding, the longest contexts first, nothing shared between contexts.

    Args:
        before: tokens computed before every context: a soft prompt's.
        first: tokens computed before the options' own: an encoder-decoder's start token.
        scored_weight: the extra memory of a token whose logits are computed, in tokens.
    """
    trees = [token_trie(request.options) for request in requests]
    computed = [
        before + len(request.context) + first + len(tree.tokens) for request, tree in zip(requests, trees, strict=True)
    ]
    weights = [count + scored_weight * len(tree.scored()) for count, tree in zip(computed, trees, strict=True)]
    order = sorted(range(len(requests)), key=lambda index: -len(requests[index].context))
    batches = cut_in_order([weights[index] for index in order], limit)
    return Schedule(list(requests), [[order[place] for place in batch] for batch in batches], weights, computed)


def shared(requests: Sequence[Request], limit: BatchLimit, *, before: int, scored_weight: int) -> Schedule:
    """Batches without padding in the order of the contexts' tokens, every shared beginning computed once.

    Args:
        before: tokens that come before all contexts, and are computed once: a soft prompt's.
        scored_weight: the extra memory of a token whose logits are computed, in tokens.
    """
    order = order_by_prefix([request.context for request in requests])
    annotated = list(requests)
    computed = [0] * len(requests)
    weights = [0] * len(requests)
    for place, (index, known) in enumerate(zip(order.indices, order.shared, strict=True)):
        request = requests[index]
        tree = token_trie(request.options)
        computed[index] = len(request.context) - known + len(tree.tokens) + (before if place == 0 else 0)
        weights[index] = computed[index] + scored_weight * len(tree.scored())
        kept = order.shared[place + 1] if place + 1 < len(requests) else 0
        annotated[index] = dataclasses.replace(request, shared=known, kept=kept)
    batches = cut_in_order([weights[index] for index in order.indices], limit)
    return Schedule(annotated, [[order.indices[place] for place in batch] for batch in batches], weights, computed)


def by_group(
    requests: Sequence[Request],
    groups: Sequence[int | None],
    plan: Callable[[Sequence[Request], int | None], Schedule],
) -> Schedule:
    """The schedules of groups of requests that share no batch, one after the other.

    Args:
        groups: of each request.
        plan: the schedule of some requests of one group.
    """
    if len(set(groups)) <= 1:
        return plan(requests, groups[0] if groups else 0)
    annotated = list(requests)
    weights, computed = [0] * len(requests), [0] * len(requests)
    batches: list[list[int]] = []
    for group in dict.fromkeys(groups):
        members = [index for index, other in enumerate(groups) if other == group]
        of_group = plan([requests[index] for index in members], group)
        for place, index in enumerate(members):
            annotated[index] = of_group.requests[place]
            weights[index], computed[index] = of_group.weights[place], of_group.computed[place]
        batches += [[members[place] for place in batch] for batch in of_group.batches]
    return Schedule(annotated, batches, weights, computed)
