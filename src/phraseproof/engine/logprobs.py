"""Log-probabilities of a few tokens, out of the logits of a large vocabulary."""

from __future__ import annotations

from collections.abc import Sequence

import torch

_ENTRIES = 2**20
"""So many logits are turned to float32 and summed at a time: the sum makes copies of what it is given."""


def log_probabilities(logits: torch.Tensor, rows: Sequence[int], tokens: Sequence[int]) -> list[float]:
    """Of each of `tokens`, by the softmax in float32 of the row of logits beside it.

    Args:
        logits: [any number, vocabulary], in any precision.
        rows: which row; any of them any number of times.
        tokens: parallel to `rows`, below the vocabulary's size.
    """
    step = max(1, _ENTRIES // logits.shape[1])
    totals = torch.cat([some.float().logsumexp(dim=-1) for some in logits.split(step)])
    chosen, wanted = torch.tensor([list(rows), list(tokens)], device=logits.device)
    found: list[float] = (logits[chosen, wanted].float() - totals[chosen]).tolist()
    return found
