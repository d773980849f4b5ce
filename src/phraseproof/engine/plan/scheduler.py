"""In which order and batches the jobs of a call are run, and how many tokens each takes: plain data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

from phraseproof.engine.plan.batching import BatchLimit, plan_batches
from phraseproof.engine.plan.prefix_tree import cut_in_order, option_tree, share_contexts
from phraseproof.engine.plan.request import Job


class Schedule(NamedTuple):
    """The jobs of a call, made ready to run.

    Attributes:
        jobs: as they were given, told what they share.
        batches: indices into `jobs`, in the order of running.
        weights: what each job takes of a batch's room, in tokens.
        computed: the tokens that each job runs through the model.
    """

    jobs: list[Job]
    batches: list[list[int]]
    weights: list[int]
    computed: list[int]


def padded(jobs: Sequence[Job], weights: Sequence[int], computed: Sequence[int], limit: BatchLimit) -> Schedule:
    """Batches of similar length, padded to the longest."""
    return Schedule(list(jobs), plan_batches(weights, limit), list(weights), list(computed))


def packed(jobs: Sequence[Job], limit: BatchLimit, *, before: int, first: int, scored_weight: int) -> Schedule:
    """Batches without padding, the longest contexts first, nothing shared between contexts.

    Args:
        before: tokens computed before every context: a soft prompt's.
        first: tokens computed before the options' own: an encoder-decoder's start token.
        scored_weight: the room that a token takes more when the vocabulary is projected for it.
    """
    trees = [option_tree(job.options) for job in jobs]
    computed = [before + len(job.context) + first + len(tree.tokens) for job, tree in zip(jobs, trees, strict=True)]
    weights = [count + scored_weight * len(tree.scored()) for count, tree in zip(computed, trees, strict=True)]
    order = sorted(range(len(jobs)), key=lambda index: -len(jobs[index].context))
    batches = cut_in_order([weights[index] for index in order], limit)
    return Schedule(list(jobs), [[order[place] for place in batch] for batch in batches], weights, computed)


def shared(jobs: Sequence[Job], limit: BatchLimit, *, before: int, scored_weight: int) -> Schedule:
    """Batches without padding in the order of the contexts' tokens, every shared beginning computed once.

    Args:
        before: tokens that come before all contexts, and are computed once: a soft prompt's.
        scored_weight: the room that a token takes more when the vocabulary is projected for it.
    """
    order = share_contexts([job.context for job in jobs])
    told = list(jobs)
    computed = [0] * len(jobs)
    weights = [0] * len(jobs)
    for place, (index, known) in enumerate(zip(order.indices, order.shared, strict=True)):
        job = jobs[index]
        tree = option_tree(job.options)
        computed[index] = len(job.context) - known + len(tree.tokens) + (before if place == 0 else 0)
        weights[index] = computed[index] + scored_weight * len(tree.scored())
        kept = order.shared[place + 1] if place + 1 < len(jobs) else 0
        told[index] = dataclasses.replace(job, shared=known, kept=kept)
    batches = cut_in_order([weights[index] for index in order.indices], limit)
    return Schedule(told, [[order.indices[place] for place in batch] for batch in batches], weights, computed)
