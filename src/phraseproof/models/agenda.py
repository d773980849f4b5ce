"""The work of one scoring call: each distinct context once, with every option that is to follow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Job:
    """One context to read once, and the distinct continuations to score after it.

    Attributes:
        context: token ids, int32, already cut to what fits.
        options: token ids of each option, none empty.
        steps: for the method `paper`, how long the free run is; else 0.
        shared: how many of the context's first tokens the job before it has, too; they are not computed again.
        kept: how many of them the job after it has.
    """

    context: NDArray[np.int32]
    options: tuple[tuple[int, ...], ...]
    steps: int = 0
    shared: int = 0
    kept: int = 0


class Facts(NamedTuple):
    """A prompt's token counts, as `OptionScores` means them."""

    prompt_tokens: int
    truncated: int
    asked_tokens: int


class Agenda:
    """The jobs of a call, each distinct context once, and where every option of every prompt is found in them.

    Attributes:
        places: for each prompt, the (job, option) of each of its options.
        facts: for each prompt, what is told of it beside its log-probabilities.
    """

    def __init__(self) -> None:
        self._options: list[dict[tuple[int, ...], int]] = []
        self._contexts: list[NDArray[np.int32]] = []
        self._steps: list[int] = []
        self._job_of: dict[tuple[bytes, object], int] = {}
        self.places: list[list[tuple[int, int]]] = []
        self.facts: list[Facts] = []

    def find(self, context: Sequence[int], options: Sequence[tuple[int, ...]], *, steps: int) -> list[tuple[int, int]]:
        """The (job, option) of each option after this context, new or known."""
        ids = np.asarray(context, dtype=np.int32)
        # A free run's length hangs on all options of a prompt, so there only equal sets of options share a job.
        key = (ids.tobytes(), tuple(options) if steps else None)
        job = self._job_of.setdefault(key, len(self._contexts))
        if job == len(self._contexts):
            self._contexts.append(ids)
            self._options.append({})
            self._steps.append(steps)
        known = self._options[job]
        return [(job, known.setdefault(option, len(known))) for option in options]

    def jobs(self) -> list[Job]:
        """All jobs, in the order their contexts were first met."""
        return [
            Job(context, tuple(options), steps)
            for context, options, steps in zip(self._contexts, self._options, self._steps, strict=True)
        ]

    def per_prompt(self, of_jobs: Sequence[int]) -> list[int]:
        """What jobs take, told of the first prompt that needs each."""
        seen: set[int] = set()
        found: list[int] = []
        for places in self.places:
            new = {job for job, _ in places} - seen
            seen |= new
            found.append(sum(of_jobs[job] for job in new))
        return found

    def users(self) -> list[list[int]]:
        """For each job, the prompts that wait for it."""
        users: list[list[int]] = [[] for _ in self._contexts]
        for prompt, places in enumerate(self.places):
            for job in {job for job, _ in places}:
                users[job].append(prompt)
        return users
