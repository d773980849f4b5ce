"""The learning rate, compared with the schedules of transformers."""

from __future__ import annotations

import pytest
import torch
from transformers import get_constant_schedule_with_warmup, get_cosine_schedule_with_warmup

from phraseproof.training.learning_rate import learning_rate_factor


@pytest.mark.parametrize("warmup", [0, 5])
@pytest.mark.parametrize("schedule", ["cosine", "constant"])
def test_the_learning_rate_is_that_of_transformers(schedule: str, warmup: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = (
        get_cosine_schedule_with_warmup(optimizer, warmup, 20)
        if schedule == "cosine"
        else get_constant_schedule_with_warmup(optimizer, warmup)
    )
    for step in range(20):
        ours = learning_rate_factor(step, 20, warmup, schedule)
        assert ours == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        theirs.step()
