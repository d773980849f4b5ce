"""The terms of the alignment losses: pure functions of logits, each with its formula and its source in the paper.

In all functions, `logits` are [rows, T, V]: `logits[r, j]` predicts target token j of row r. Row 0 of a group is the
reference wording, followed by the paraphrases and the negations. `mask` [rows, T] is true at target tokens. `logits` do
not contain positions of the soft prompt or the prompt. Padding is removed before any arithmetic, so its values change
neither a result nor a gradient. Losses are in nats. Half precision is converted to float32.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

IGNORED = -100
"""The value in `targets` where there is no target token."""


Direction: TypeAlias = Literal["reverse", "forward", "symmetric"]
"""Of a KL divergence between a paraphrase i and the reference r: KL(y_i || y_r) as in the paper, the reverse one of
distillation; KL(y_r || y_i), the forward one; or the mean of both."""


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """L_CE: the mean over rows of the mean over the row's target tokens of -log p(token | prompt, earlier tokens).

    Every wording has the same weight, regardless of its number of tokens. The paper does not say how it averages; the
    rows of one group have the same target, so for them this is also the mean over all tokens.

    Args:
        logits: [rows, T, V].
        targets: token ids [rows, T], `IGNORED` at padding; at least one target token per row.

    Returns:
        A scalar.
    """
    kept = targets != IGNORED
    losses = functional.cross_entropy(_exact(logits[kept]), targets[kept], reduction="none")
    by_row = _spread(losses, kept).sum(dim=1) / kept.sum(dim=1)
    return by_row.mean()


def kl_to_reference(
    logits: Tensor,
    mask: Tensor,
    *,
    rows: Sequence[int],
    reference: int = 0,
    detach_reference: bool = True,
    direction: Direction = "reverse",
) -> Tensor:
    """L_KL = 1/(N-1) sum_i sum_j KL(y_i^(j) || y_r^(j)) (section 5), where y is the softmax over the vocabulary.

    As printed, this is a sum over target tokens j, not a mean: long targets have more weight.

    Args:
        logits: [rows, T, V].
        mask: [rows, T], true at target tokens; a position counts if both wordings have it.
        rows: the N-1 wordings i.
        reference: the row r.
        detach_reference: stop the gradient through y_r. The paper does not say. With a gradient, both sides move, and
            the easiest minimum is two uninformative distributions: an early trial collapsed in this way.
        direction: `reverse` is as printed; `forward` is sum_j KL(y_r^(j) || y_i^(j)), `symmetric` the mean of both.

    Returns:
        A scalar, never negative.
    """
    return _tokens_kl(logits, mask, rows, reference, detach_reference, direction).sum() / len(rows)


def jensen_shannon(logits: Tensor, mask: Tensor, *, rows: Sequence[int]) -> Tensor:
    """sum_j 1/N sum_i KL(y_i^(j) || m^(j)), m = 1/N sum_i y_i: the Jensen-Shannon divergence of N wordings (Lin 1991).

    All wordings count the same: there is no reference, and every one of them moves. It is a sum over target tokens, as
    the KL to a reference is. It is 0 if all wordings give the same distribution, at most log N per token, and for N = 2
    the square of scipy's Jensen-Shannon distance.

    Args:
        logits: [rows, T, V].
        mask: [rows, T], true at target tokens; a position counts if all the wordings have it.
        rows: the N wordings, at least two.

    Returns:
        A scalar, never negative.
    """
    if len(rows) < 2:
        raise ValueError("there are no two wordings to compare")
    chosen = list(rows)
    log_p = functional.log_softmax(_exact(logits[chosen][:, mask[chosen].all(dim=0)]), dim=-1)
    log_m = torch.logsumexp(log_p, dim=0) - math.log(len(rows))
    by_token = functional.kl_div(log_m.expand_as(log_p), log_p, reduction="none", log_target=True).sum(dim=-1)
    return by_token.mean(dim=0).sum()


def contrastive_kl(
    logits: Tensor,
    mask: Tensor,
    other_logits: Tensor,
    other_mask: Tensor,
    *,
    rows: Sequence[int],
    reference: int = 0,
    detach_reference: bool = True,
    bound: float | None = None,
) -> Tensor:
    """1/(N-1) sum_i sum_j [KL(y_i^(j) || y_r^(j)) - KL(y_i^(j) || y_r'^(j))] for the paraphrases of one of two tasks.

    Section E.1. The two tasks have different targets; the second KL runs over the positions j that both have, and N-1
    is the number of paraphrases i. As printed, the entropies of y_i cancel and the difference is linear in y_i: its
    minimum puts all mass on the token with the largest ratio y_r / y_r', which may be one that neither reference would
    write. `bound` bounds the second KL as in `bounded_negation`.

    Args:
        logits, mask: the paraphrases' own group, [rows, T, V] and [rows, T].
        other_logits, other_mask: the other task's reference r', [T', V] and [T'].
        rows: the wordings i.
        reference: the row r.
        detach_reference: stop the gradient through y_r and y_r'.
        bound: in nats per token; `None` is as printed.

    Returns:
        A scalar, possibly negative.
    """
    shared = min(logits.shape[1], other_logits.shape[0])
    other = other_logits[:shared].detach() if detach_reference else other_logits[:shared]
    chosen = list(rows)
    pulled = _tokens_kl(logits, mask, rows, reference, detach_reference)
    pushed = _kl(logits[chosen, :shared], other, mask[chosen, :shared] & other_mask[:shared])
    return (pulled.sum() - _bounded(pushed, bound).sum()) / len(rows)


def bounded_negation(
    logits: Tensor,
    mask: Tensor,
    *,
    rows: Sequence[int],
    reference: int = 0,
    detach_reference: bool = True,
    bound: float | None = 1.0,
) -> Tensor:
    """1/(N-1) sum_i sum_j b (1 - exp(-KL(y_i^(j) || y_r^(j)) / b)): the bounded distance of negated wordings i from r.

    Section F.1. A larger value is a larger distance; a loss subtracts it. As printed (L = (1+λ) L_CE - λ L_KL with a
    second minus inside L_KL), the minus signs cancel and pull negations towards the reference, but the text says to
    push them away. A maximised KL has no upper limit, so the KL of each token is bounded by b: nearly the KL itself
    while that is small (the slopes at 0 are equal), and nearly constant when it is well above b.

    Args:
        logits, mask, reference, detach_reference: as in `kl_to_reference`.
        rows: the negated wordings.
        bound: b, in nats per token; `None` leaves the KL unbounded.

    Returns:
        A scalar from 0 to b x T.
    """
    return _bounded(_tokens_kl(logits, mask, rows, reference, detach_reference), bound).sum() / len(rows)


def mean_squared_states(
    states: Tensor, *, rows: Sequence[int], reference: int = 0, detach_reference: bool = True
) -> Tensor:
    """1/(N-1) sum_i MSE(h_i, h_r): the mean squared difference of the encoder's states at the soft prompt (E.2).

    The mean is over soft-prompt positions and width. The paper prints argmax; the loss is minimised.

    Args:
        states: the last encoder layer at the soft prompt's positions, [rows, n, width].
        rows, reference, detach_reference: as in `kl_to_reference`.

    Returns:
        A scalar, never negative.
    """
    _require(rows)
    exact = _exact(states)
    target = exact[reference].detach() if detach_reference else exact[reference]
    return (exact[list(rows)] - target).square().mean()


# -------------------------------------------------------------------------------------------------------------- helpers


def _tokens_kl(
    logits: Tensor,
    mask: Tensor,
    rows: Sequence[int],
    reference: int,
    detach_reference: bool,
    direction: Direction = "reverse",
) -> Tensor:
    """KL(y_i || y_r) per token of each row i: [len(rows), T], 0 where nothing is compared."""
    _require(rows)
    chosen = list(rows)
    target = logits[reference].detach() if detach_reference else logits[reference]
    return _kl(logits[chosen], target, mask[chosen] & mask[reference], direction)


def _kl(logits: Tensor, target: Tensor, kept: Tensor, direction: Direction = "reverse") -> Tensor:
    """KL(softmax(logits[i, j]) || softmax(target[j])) where `kept`, else 0: from [R, T, V] and [T, V] to [R, T]."""
    steps, place = kept.nonzero()[:, 1].unique(return_inverse=True)
    # Masked positions are removed before the softmax. Multiplying by zero afterwards is not enough: NaN times zero is
    # NaN, in the gradient too.
    log_p = functional.log_softmax(_exact(logits[kept]), dim=-1)
    log_q = functional.log_softmax(_exact(target[steps]), dim=-1)[place]
    # torch's argument order is reversed: kl_div(input=log q, target=log p) is p (log p - log q).
    ways = {"reverse": [(log_q, log_p)], "forward": [(log_p, log_q)], "symmetric": [(log_q, log_p), (log_p, log_q)]}
    by_way = [
        functional.kl_div(other, own, reduction="none", log_target=True).sum(dim=-1) for other, own in ways[direction]
    ]
    return _spread(torch.stack(by_way).mean(dim=0) if len(by_way) > 1 else by_way[0], kept)


def _bounded(kl: Tensor, bound: float | None) -> Tensor:
    return kl if bound is None else -bound * torch.expm1(-kl / bound)


def _spread(values: Tensor, kept: Tensor) -> Tensor:
    """Scatter values back to the positions where `kept` is true; 0 elsewhere."""
    return values.new_zeros(kept.shape).masked_scatter(kept, values)


def _exact(values: Tensor) -> Tensor:
    return values.float() if values.dtype in {torch.float16, torch.bfloat16} else values


def _require(rows: Sequence[int]) -> None:
    if not rows:
        raise ValueError("there is no wording to compare with the reference")
