"""Working through a plan's missing cells: claimed, computed in bundles, stored whole, failures recorded."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from typing import Generic, NamedTuple, TypeVar

from phraseproof.errors import PhraseproofError, RunError
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import Job, bundle_size
from phraseproof.store.writer import RunStore

Result = TypeVar("Result")

FIRST_BUNDLE_PROMPTS = 64
MAX_BUNDLE_PROMPTS = 8192
BUNDLE_TARGET_S = 20.0
"""For about so long cells are computed together: a kill loses little, and a fast model still sees many prompts."""


class _Claimed(NamedTuple):
    """The prompts that were computed of some jobs, and the jobs that another process holds."""

    computed: int
    others: list[Job]


class Work(Generic[Result]):
    """What is done to cells, and with what comes of it.

    Args:
        store: where finished cells go, and who holds which.
        observer: told of every prompt and every failure.
        compute: the results of some jobs, one a job; told how many prompts are done by calling its second argument.
        keep: stores one job's result.
        max_prompts: the most prompts of a bundle.
        counts_others: whether the observer is told of cells that another process finished.
    """

    def __init__(
        self,
        store: RunStore,
        observer: Observer,
        compute: Callable[[Sequence[Job], Callable[[int], None]], Sequence[Result]],
        keep: Callable[[Job, Result], None],
        *,
        max_prompts: int | None = None,
        counts_others: bool = True,
    ) -> None:
        self._store = store
        self._observer = observer
        self._compute = compute
        self._keep = keep
        self._max_prompts = max_prompts or MAX_BUNDLE_PROMPTS
        self._counts_others = counts_others

    def through(self, missing: Sequence[Job]) -> None:
        """Compute and store the jobs; those that another process holds come last, and are waited for.

        A job that fails is recorded with its error and the rest goes on.

        Raises:
            RunError: the folder is at fault, and nothing can go on.
        """
        later: list[Job] = []
        bundle_prompts = FIRST_BUNDLE_PROMPTS
        while missing:
            size = bundle_size(missing, bundle_prompts)
            jobs, missing = missing[:size], missing[size:]
            before = time.perf_counter()
            claimed = self._claimed(jobs, wait=False)
            later += claimed.others
            if claimed.computed:  # what others did or hold says nothing of our speed
                per_second = claimed.computed / max(time.perf_counter() - before, 1e-3)
                bundle_prompts = round(min(self._max_prompts, 4 * bundle_prompts, BUNDLE_TARGET_S * per_second))
        for job in later:
            self._claimed([job], wait=True)

    def _claimed(self, jobs: Sequence[Job], *, wait: bool) -> _Claimed:
        """Do the jobs that can be claimed."""
        with ExitStack() as claims:
            mine = [job for job in jobs if claims.enter_context(self._store.claim(job.cell, wait=wait))]
            if mine:
                self._do(mine)
        claimed = {job.cell for job in mine}
        others: list[Job] = []
        for job in jobs:
            if job.cell in claimed:
                continue
            if not self._store.has(job.cell):
                others.append(job)
            elif self._counts_others:
                self._observer.advanced(job.cell.num_examples)
        return _Claimed(count_prompts(mine), others)

    def _do(self, jobs: Sequence[Job]) -> None:
        counted = 0

        def count(prompts: int) -> None:
            nonlocal counted
            counted += prompts
            self._observer.advanced(prompts)

        try:
            results = self._compute(jobs, count)
        except RunError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong in a cell is recorded, and the rest goes on
            self._observer.advanced(-counted)
            if len(jobs) > 1:
                for job in jobs:
                    self._do([job])
                return
            cell = jobs[0].cell
            line = str(error) if isinstance(error, PhraseproofError) else f"{type(error).__name__}: {error}"
            self._store.record_failure(cell, " ".join(line.split()), traceback.format_exc())
            self._observer.warned(f"{cell.task} under {cell.instruction} failed: {' '.join(line.split())}")
            return
        for job, result in zip(jobs, results, strict=True):
            self._keep(job, result)


def count_prompts(jobs: Iterable[Job]) -> int:
    """The prompts of all jobs together."""
    return sum(job.cell.num_examples for job in jobs)
