"""The loss of a step and its terms: of single batches, and their means over batches and processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import Tensor


class LossTerms(NamedTuple):
    """A loss and its terms, in nats.

    Attributes:
        total: the minimised scalar, with its graph.
        ce: the cross-entropy (detached), also if it is not part of the total, and also of sets without a label: there
            it is that with what the reference answered.
        kl: the KL divergence of paraphrases from their reference (detached); `None` for methods without one.
        other: the method's own term before its weight (detached): the contrast, the MSE, the negations' distance.
    """

    total: Tensor
    ce: Tensor
    kl: Tensor | None = None
    other: Tensor | None = None


class MeanLosses(NamedTuple):
    """Means over batches and processes, in nats; `None` for a term that the method does not compute."""

    total: float
    ce: float
    kl: float | None = None
    other: float | None = None


def mean_losses(terms: Sequence[LossTerms], weights: Sequence[float], accelerator: Accelerator) -> MeanLosses:
    """The weighted sums over batches, and their mean over processes. Every process must call it.

    Args:
        terms: of this process's batches; each has the same terms.
        weights: of the batches; the sum of a process's weights is 1 on average over the processes.
        accelerator: the processes.
    """
    import torch

    means: list[float | None] = []
    for values in zip(*terms, strict=True):
        if values[0] is None:
            means.append(None)
            continue
        stacked = torch.stack(values).detach().float()
        own = (stacked * stacked.new_tensor(weights)).sum()
        means.append(float(cast("Tensor", accelerator.reduce(own, reduction="mean"))))
    total, ce, kl, other = means
    assert total is not None, "every loss has a total"
    assert ce is not None, "every loss reports the cross-entropy"
    return MeanLosses(total, ce, kl, other)
