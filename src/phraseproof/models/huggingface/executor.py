"""Carries out a plan of batches, and reports prompts as they are finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.core import OptionScores
from phraseproof.engine.plan.batching import run_batches
from phraseproof.engine.plan.request import Agenda, Job
from phraseproof.engine.plan.scheduler import Schedule

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


class WindowScores:
    """The scores of the prompts that are planned together, readable prompt by prompt while others are computed.

    Args:
        agenda: the prompts' distinct contexts.
        planned: their batches.
    """

    def __init__(self, agenda: Agenda, planned: Schedule) -> None:
        self._agenda = agenda
        self._computed = agenda.per_prompt(planned.computed)
        starts = np.cumsum([0, *(len(job.options) for job in planned.jobs)])
        self.jobs = JobScores(np.zeros(starts[-1]), starts)

    def __len__(self) -> int:
        """How many prompts there are."""
        return len(self._agenda)

    def of(self, prompt: int) -> OptionScores:
        """The scores of a prompt that is finished."""
        places = self._agenda.places(prompt)
        logprobs = tuple(self.jobs.of(job, option) for job, option in places)
        facts = self._agenda.facts(prompt)
        return OptionScores(
            logprobs,
            facts.prompt_tokens,
            self._computed[prompt],
            facts.truncated,
            facts.asked_tokens,
            self._agenda.option_tokens(places),
        )


OnFinished = Callable[[WindowScores, Sequence[int]], None]
"""Called with the scores so far and the prompts that were finished since the last call."""


def run_schedule(
    planned: Schedule,
    agenda: Agenda,
    score: Callable[[Sequence[Job]], list[list[float]]],
    on_finished: OnFinished | None,
) -> WindowScores:
    """The scores of all prompts of `agenda`.

    Args:
        score: computes one batch, whole or not at all.
        on_finished: called after each batch that finishes a prompt.

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
    scores = WindowScores(agenda, planned)
    results = scores.jobs

    def run(batch: Sequence[int]) -> list[list[float]]:
        with torch.inference_mode():
            return score([planned.jobs[index] for index in batch])

    for batch, found in run_batches(
        planned.batches, planned.weights, run, out_of_memory=should_reduce_batch_size, release=clear_device_cache
    ):
        finished: list[int] = []
        for job, logprobs in zip(batch, found, strict=True):
            results.values[results.starts[job] : results.starts[job + 1]] = logprobs
            for index in users[job]:
                waiting[index] -= 1
                if waiting[index] == 0:
                    finished.append(index)
        if on_finished is not None and finished:
            on_finished(scores, finished)
    return scores
