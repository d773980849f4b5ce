"""Losses over a pair's options: what a model answers is its distribution over them, not over the vocabulary.

In all functions, `scores` are [W, C]: the log-probability of option c after wording w, the sum over the option's
tokens, as in evaluations. `distribution` makes them probabilities that add up to 1 over the options. Losses are in
nats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

IGNORED = -100
"""The value in `targets` where there is no target token."""


def token_logprobs(logits: Tensor, targets: Tensor) -> Tensor:
    """log p(token | prompt, earlier tokens) at every token: from [..., T, V] and [..., T] to [..., T]; 0 at padding."""
    kept = targets != IGNORED
    exact = logits[kept].float() if logits.dtype in {torch.float16, torch.bfloat16} else logits[kept]
    found = -functional.cross_entropy(exact, targets[kept], reduction="none")
    return found.new_zeros(targets.shape).masked_scatter(kept, found)


def soft_cross_entropy(logprobs: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """sum_c q_c CE_c: the cross-entropy of options as targets, weighted by a teacher's distribution q.

    CE_c is the mean over wordings of the mean over option c's tokens of -log p(token). For a teacher that is sure of
    one option it is the cross-entropy with that option as the target. Unlike a KL divergence between q and the model's
    distribution over the options, it also lowers the probability of texts that are no option.

    Args:
        logprobs: of the options' tokens [W, C, T], as `token_logprobs` gives them.
        targets: token ids [W, C, T], `IGNORED` at padding.
        weights: q [C], adding up to 1.

    Returns:
        A scalar.
    """
    means = logprobs.sum(dim=-1) / (targets != IGNORED).sum(dim=-1)
    return -(means.mean(dim=0) * weights.to(means)).sum()


def distribution(scores: Tensor) -> Tensor:
    """[W, C] the log-probabilities of the options, adding up to 1 over the options of a wording."""
    return functional.log_softmax(scores, dim=-1)


def choice_loss(scores: Tensor, weights: Tensor) -> Tensor:
    """-1/W sum_w sum_c q_c log p_w(c), p_w the distribution over the options: the cross-entropy of the choice.

    Evaluations choose the option with the highest score, so this is the loss of what they measure. It also lowers the
    wrong options, and does not change how probable the options are together. `soft_cross_entropy` does the opposite.

    Args:
        scores: [W, C].
        weights: q [C], adding up to 1: a teacher's distribution, or 1 for the right option.

    Returns:
        A scalar.
    """
    return -(distribution(scores) * weights.to(scores)).sum(dim=-1).mean()


def swarm_distillation(scores: Tensor) -> Tensor:
    """1/(N(N-1)) sum_i sum_(j != i) -sum_c q_i(c) log p_j(c), q = p without a gradient (arXiv 2205.00049, equation 2).

    Every wording is the teacher of every other one.

    Args:
        scores: [W, C] of at least two wordings.

    Returns:
        A scalar. Its minimum over p_j is the entropy of the others' mean distribution, not 0.
    """
    number = len(scores)
    if number < 2:
        raise ValueError("there are no two wordings to compare")
    log_p = distribution(scores)
    taught = log_p.detach().exp()
    others = (taught.sum(dim=0, keepdim=True) - taught) / (number - 1)
    return -(others * log_p).sum(dim=-1).mean()


def majority_option(scores: Tensor) -> int:
    """The option that most wordings choose; of equally many votes the one with the higher mean probability."""
    log_p = distribution(scores.detach())
    votes = functional.one_hot(log_p.argmax(dim=-1), log_p.shape[-1]).sum(dim=0)
    return int((votes + log_p.exp().mean(dim=0) / 2).argmax())
