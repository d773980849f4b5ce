"""Means of losses, by hand."""

from __future__ import annotations

import pytest
import torch
from accelerate import Accelerator

from phraseproof.training.loss_terms import LossTerms, mean_losses


def test_batches_count_by_their_weights() -> None:
    values = [(2.0, 1.0), (4.0, 3.0), (8.0, 0.5)]
    terms = [LossTerms(torch.tensor(total, requires_grad=True), torch.tensor(ce)) for total, ce in values]
    found = mean_losses(terms, [0.5, 0.25, 0.25], Accelerator(cpu=True))
    assert found.total == pytest.approx(1 + 1 + 2)
    assert found.ce == pytest.approx(0.5 + 0.75 + 0.125)
    assert found[2:] == (None, None)
