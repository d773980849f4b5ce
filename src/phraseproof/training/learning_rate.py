"""The learning rate over the steps of a training."""

from __future__ import annotations

import math


def learning_rate_factor(step: int, total_steps: int, warmup_steps: int, schedule: str) -> float:
    """The factor that the learning rate is multiplied by in a step.

    Args:
        step: the number of steps before this one.
        total_steps: the length of the whole training.
        warmup_steps: the number of steps over which the factor rises from 0 to 1.
        schedule: `constant` stays at 1; `cosine` falls to 0 at the end.
    """
    if step < warmup_steps:
        return step / max(1, warmup_steps)
    if schedule == "constant":
        return 1.0
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return max(0.0, 0.5 * (1.0 + math.cos(math.pi * progress)))
