"""Log-probabilities of a few tokens, from the logits of a large vocabulary."""

from __future__ import annotations

from collections.abc import Sequence

import torch

_ENTRIES = 2**20
"""The number of logits that are converted to float32 and summed at a time: each step makes a copy of them."""


def log_probabilities(logits: torch.Tensor, rows: Sequence[int], tokens: Sequence[int]) -> list[float]:
    """Return the log-probability of each token, by a softmax in float32 over its row of logits.

    Args:
        logits: [rows, vocabulary], in any precision.
        rows: the row that predicts each token; a row may occur any number of times.
        tokens: parallel to `rows`; token ids below the size of the vocabulary.
    """
    # In pieces: for 1,000 scored tokens and a vocabulary of 150,000 a copy in float32 would take 600 MB.
    step = max(1, _ENTRIES // logits.shape[1])
    totals = torch.cat([some.float().logsumexp(dim=-1) for some in logits.split(step)])
    chosen, wanted = torch.tensor([list(rows), list(tokens)], device=logits.device)
    # Gathered before the conversion, so that only the chosen entries are converted.
    found: list[float] = (logits[chosen, wanted].float() - totals[chosen]).tolist()
    return found
