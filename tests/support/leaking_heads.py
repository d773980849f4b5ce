"""Networks whose predictions depend on later tokens."""

from __future__ import annotations

from typing import Any

import torch


def leaks_of_later_tokens(network: Any) -> Any:
    """Add what the last token is to all logits of one token that is in no option: less than scores would show."""
    head = network.lm_head.forward

    def leaking(states: torch.Tensor) -> torch.Tensor:
        logits = head(states)
        logits[..., -1] += 0.01 * torch.tanh(states[:, -1:, 0])
        return logits

    network.lm_head.forward = leaking
    return network
