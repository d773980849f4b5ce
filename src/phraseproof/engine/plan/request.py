"""The work of one scoring call: each distinct context once, with every option that is to follow it."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Options = tuple[tuple[int, ...], ...]
"""The token ids of several options."""


@dataclass(frozen=True, slots=True)
class Job:
    """One context to read once, and the distinct continuations to score after it.

    Attributes:
        context: token ids, int32, already cut to what fits; not to be written to.
        options: token ids of each option, none empty.
        steps: for the method `paper`, how long the free run is; else 0.
        shared: how many of the context's first tokens the job before it has, too; they are not computed again.
        kept: how many of them the job after it has.
    """

    context: NDArray[np.int32]
    options: Options
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

    Thousands of prompts are planned together, so what is kept of each is a few bytes in arrays.
    """

    def __init__(self) -> None:
        self._contexts: list[NDArray[np.int32]] = []
        self._options: list[Options] = []
        self._steps = array("i")
        self._job_of: dict[bytes | tuple[bytes, Options], int] = {}
        self._same: dict[Options, Options] = {}
        # Of each prompt: its options' jobs and numbers there, where those end, and its facts.
        self._jobs, self._numbers = array("i"), array("i")
        self._ends = array("q", [0])
        self._facts = array("q")

    def __len__(self) -> int:
        """How many prompts there are."""
        return len(self._ends) - 1

    def find(self, context: Sequence[int], options: Sequence[tuple[int, ...]], *, steps: int) -> list[tuple[int, int]]:
        """The (job, option) of each option after this context, new or known."""
        ids = np.asarray(context, dtype=np.int32).tobytes()
        distinct = self._shared(tuple(dict.fromkeys(options)))
        # A free run's length hangs on all options of a prompt, so there only equal sets of options share a job.
        job = self._job_of.setdefault((ids, tuple(options)) if steps else ids, len(self._contexts))
        if job == len(self._contexts):
            self._contexts.append(np.frombuffer(ids, dtype=np.int32))
            self._options.append(distinct)
            self._steps.append(steps)
        elif self._options[job] is not distinct:
            self._options[job] = self._shared(tuple(dict.fromkeys((*self._options[job], *distinct))))
        number = {option: number for number, option in enumerate(self._options[job])}
        return [(job, number[option]) for option in options]

    def add(self, places: Sequence[tuple[int, int]], facts: Facts) -> None:
        """The next prompt: where its options are, and what is told of it."""
        self._jobs.extend(job for job, _ in places)
        self._numbers.extend(number for _, number in places)
        self._ends.append(len(self._jobs))
        self._facts.extend(facts)

    def places(self, prompt: int) -> list[tuple[int, int]]:
        """The (job, option) of each of a prompt's options."""
        own = slice(self._ends[prompt], self._ends[prompt + 1])
        return list(zip(self._jobs[own], self._numbers[own], strict=True))

    def option_tokens(self, places: Sequence[tuple[int, int]]) -> tuple[int, ...]:
        """How many tokens each option at these places has."""
        return tuple(len(self._options[job][option]) for job, option in places)

    def facts(self, prompt: int) -> Facts:
        """What is told of a prompt beside its log-probabilities."""
        return Facts(*self._facts[3 * prompt : 3 * prompt + 3])

    def waits_for(self, prompt: int) -> set[int]:
        """The jobs that hold a prompt's options."""
        return set(self._jobs[self._ends[prompt] : self._ends[prompt + 1]])

    def jobs(self) -> list[Job]:
        """All jobs, in the order their contexts were first met."""
        return [
            Job(context, options, steps)
            for context, options, steps in zip(self._contexts, self._options, self._steps, strict=True)
        ]

    def per_prompt(self, of_jobs: Sequence[int]) -> list[int]:
        """What jobs take, told of the first prompt that needs each."""
        seen: set[int] = set()
        found: list[int] = []
        for prompt in range(len(self)):
            new = self.waits_for(prompt) - seen
            seen |= new
            found.append(sum(of_jobs[job] for job in new))
        return found

    def users(self) -> list[list[int]]:
        """For each job, the prompts that wait for it."""
        users: list[list[int]] = [[] for _ in self._contexts]
        for prompt in range(len(self)):
            for job in self.waits_for(prompt):
                users[job].append(prompt)
        return users

    def _shared(self, options: Options) -> Options:
        """Equal sets of options are one object: letters recur with every prompt."""
        return self._same.setdefault(options, options)
