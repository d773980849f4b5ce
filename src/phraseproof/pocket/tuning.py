"""Instruction tuning of the pocket's untuned models: examples in the form of Alpaca's, and settings."""

from __future__ import annotations

import random

from phraseproof.pocket.lessons import instructed
from phraseproof.tuning.examples import TuningExample
from phraseproof.tuning.settings import TuningSettings

EXAMPLES = 2560
"""The number of examples."""

SETTINGS = TuningSettings(learning_rate=1e-3, examples_per_step=32, examples_per_pass=32)
"""The paper's settings, with a learning rate and a step for models of this size."""


def tuning_examples(count: int = EXAMPLES, *, seed: int = 0) -> list[TuningExample]:
    """Questions in observed wordings with their answers: what the shipped models are tuned on, without its talk.

    Args:
        count: how many.
        seed: of the draw.
    """
    draw = random.Random(f"{seed} tuning")
    drawn = [instructed(draw) for _ in range(count)]
    return [TuningExample(" ".join(each.said), " ".join(each.laid_out), each.answer) for each in drawn]
