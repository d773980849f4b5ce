"""What a training costs: steps, prompts and tokens, counted from its batches without computing any."""

from __future__ import annotations

from typing import NamedTuple

from phraseproof.alignment.loop.batches import rows_of
from phraseproof.alignment.loop.preparation import Preparation


class TrainingCost(NamedTuple):
    """The size of a training.

    Attributes:
        steps: of the optimizer.
        prompts: examples under one wording that the steps read, repetitions included.
        tokens: of these prompts and their targets, without virtual tokens.
    """

    steps: int
    prompts: int
    tokens: int


def training_cost(prepared: Preparation) -> TrainingCost:
    """Count a whole training in one process, evaluations on held-out pairs excluded.

    Raises:
        UsageError: a pair that the training draws cannot be trained on.
    """
    prepared.check_drawn(processes=1)
    order = prepared.training_order(processes=1)
    steps, per_step = prepared.total_steps(1), prepared.batches_per_step(1)
    prompts = tokens = 0
    for number in range(steps * per_step):
        draws = order.batch(number)
        prompts += sum(draw.prompts for draw in draws)
        tokens += sum(len(row.context) + len(row.target) for row in rows_of(prepared.train.tokens, draws))
    return TrainingCost(steps, prompts, tokens)
