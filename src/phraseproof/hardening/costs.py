"""What a training costs: steps, prompts and tokens, counted from its batches without computing any."""

from __future__ import annotations

from typing import NamedTuple

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
    """Count a whole training in one process, evaluations on held-out pairs excluded."""
    method, side = prepared.method, prepared.train
    order = side.order(method, prepared.settings, with_paraphrases=method.uses_paraphrases)
    steps, per_step = prepared.total_steps(1), prepared.batches_per_step(1)
    prompts = tokens = 0
    for number in range(steps * per_step):
        for draw in order.batch(number):
            of = side.tokens[draw.pair]
            read = [of.reference, *(of.paraphrases[place] for place in draw.paraphrases)]
            read += [of.negations[place] for place in draw.negations]
            prompts += len(read)
            tokens += sum(map(len, read)) + len(read) * len(of.target)
    return TrainingCost(steps, prompts, tokens)
