"""Carrying out a plan of batches, and telling as prompts are finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.models.agenda import Agenda, Job
from phraseproof.models.batching import run_batches
from phraseproof.models.schedule import Schedule

if TYPE_CHECKING:
    from numpy.typing import NDArray


class JobScores(NamedTuple):
    """Log-probabilities of all jobs' options, one job after the other.

    Attributes:
        values: of each option.
        starts: where each job's begin.
    """

    values: NDArray[np.float64]
    starts: NDArray[np.int64]

    def of(self, job: int, option: int) -> float:
        """One option's log-probability."""
        return float(self.values[self.starts[job] + option])


def run_schedule(
    planned: Schedule,
    agenda: Agenda,
    score: Callable[[Sequence[Job]], list[list[float]]],
    on_done: Callable[[int], None] | None,
) -> JobScores:
    """Log-probabilities of the options of all jobs in `planned.jobs`.

    Args:
        score: computes one batch, whole or not at all.
        on_done: told how many more prompts have all they wait for.

    Raises:
        ModelError: memory runs out on a single prompt.
    """
    import torch
    from accelerate.utils.memory import (
        clear_device_cache,
        should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
    )

    users = agenda.users()
    waiting = [len(agenda.waits_for(prompt)) for prompt in range(len(agenda))]
    starts = np.cumsum([0, *(len(job.options) for job in planned.jobs)])
    results = JobScores(np.zeros(starts[-1]), starts)

    def run(batch: Sequence[int]) -> list[list[float]]:
        with torch.inference_mode():
            return score([planned.jobs[index] for index in batch])

    for batch, found in run_batches(
        planned.batches, planned.weights, run, out_of_memory=should_reduce_batch_size, release=clear_device_cache
    ):
        finished = 0
        for job, logprobs in zip(batch, found, strict=True):
            results.values[starts[job] : starts[job + 1]] = logprobs
            for index in users[job]:
                waiting[index] -= 1
                finished += waiting[index] == 0
        if on_done is not None and finished:
            on_done(finished)
    return results
