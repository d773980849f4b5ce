"""A few steps of a training at a learning rate of 0, for the time and the memory that it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.errors import ModelError
from phraseproof.training.checkpoint import TrainingState
from phraseproof.training.memory import peak_memory
from phraseproof.training.optimization import NotFiniteError

if TYPE_CHECKING:
    import torch

    from phraseproof.training.work import StepTokens, TrainingWork

COUNTED_STEPS = 200
"""Tokens are counted in at most this number of steps, from the first on."""

TIMED_SECONDS = 10.0
TIMED_STEPS = 5


class TrainingTiming(NamedTuple):
    """What was measured.

    Attributes:
        step_seconds: of a step of mean length.
        evaluation_seconds: of an evaluation on all held-out data; 0 without it.
        peak_memory: in bytes, the longest step and a checkpoint included; `None` where that is not known.
        steps: the number of steps that were timed.
    """

    step_seconds: float
    evaluation_seconds: float
    peak_memory: int | None
    steps: int


def time_steps(
    work: TrainingWork,
    tokens: Sequence[StepTokens],
    evaluation_seconds: Callable[[], float],
    device: torch.device,
    *,
    timed_seconds: float = TIMED_SECONDS,
) -> TrainingTiming:
    """Do a few steps; the weights do not change. The network is then released.

    Args:
        work: the training.
        tokens: of its first steps.
        evaluation_seconds: measures an evaluation.
        device: where it is trained.
        timed_seconds: no further step is timed after this time; the first steps and an evaluation come in addition.

    Raises:
        ModelError: a loss is not a finite number.
    """
    optimization = work.optimization
    try:
        # The longest step first: it takes the most memory. It is not timed, because the first step also tries things.
        longest = max(range(len(tokens)), key=lambda step: tokens[step])
        optimization.step(longest, work.passes(longest), 0.0)
        optimization.checkpoint(TrainingState())
        seconds: list[float] = []
        while len(seconds) < min(TIMED_STEPS, len(tokens)) and sum(seconds) < timed_seconds:
            began = time.perf_counter()
            optimization.step(len(seconds), work.passes(len(seconds)), 0.0)
            seconds.append(time.perf_counter() - began)
        read = sum(step.read for step in tokens[: len(seconds)])
        per_step = sum(seconds) / read * fmean(step.read for step in tokens)
        return TrainingTiming(per_step, evaluation_seconds(), peak_memory(device), len(seconds))
    except NotFiniteError as error:
        raise ModelError(f"{error}, before anything was trained") from None
    finally:
        work.release()
