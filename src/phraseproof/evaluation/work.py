"""Works through a plan's missing cells: claimed, computed in bundles, stored when complete, failures recorded."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from phraseproof.errors import PhraseproofError, RunError, StoppedError
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.plan import PlannedCell, bundle_size
from phraseproof.scoring.patterns import SlowPatternError
from phraseproof.store.claims import Holder
from phraseproof.store.locks import Blocker
from phraseproof.store.writer import RunStore

Result = TypeVar("Result")

SMALLEST_BUNDLE_PROMPTS = 64
MAX_BUNDLE_PROMPTS = 8192
_BUNDLES_LEFT = 4
"""A bundle is at most one such part of what is left: many prompts at once, and no process waits long for another one.

The clock plays no part. Which prompts are computed together can move the last bits of a score, so equal commands must
make equal bundles.
"""

_LONGEST_PAUSE_S = 2.0


class Work(Generic[Result]):
    """What is done to cells, and with the results.

    Args:
        store: where complete cells go, and who computes which.
        observer: notified of every prompt and every failure.
        compute: the results of some cells, one per cell, an exception for a cell that failed by itself; its second
            argument is to be called with the number of prompts that are done. `None` where it has settled each cell
            itself (`settle`).
        keep: stores one cell's result.
        max_prompts: the most prompts of a bundle.
        in_one: compute all cells in one bundle.
        counts_others: whether the observer is notified of cells that another process completed.
    """

    def __init__(
        self,
        store: RunStore,
        observer: Observer,
        compute: Callable[[Sequence[PlannedCell], Callable[[int], None]], Sequence[Result | Exception] | None],
        keep: Callable[[PlannedCell, Result], None],
        *,
        max_prompts: int | None = None,
        in_one: bool = False,
        counts_others: bool = True,
    ) -> None:
        self._store = store
        self._observer = observer
        self._compute = compute
        self._keep = keep
        self._max_prompts = max_prompts or MAX_BUNDLE_PROMPTS
        self._in_one = in_one
        self._counts_others = counts_others

    def through(self, missing: Sequence[PlannedCell]) -> None:
        """Compute and store the cells; those that another process computes come last, and are waited for.

        A cell that fails is recorded with its error, and the others go on.

        Raises:
            StoppedError: the model gives no further answers.
            SlowPatternError: a user's pattern takes too long on a text, and would on others.
            RunError: the folder is at fault, or another process made no progress for too long.
        """
        left = self._pass(missing)
        wait = self._store.wait(longest_pause_s=_LONGEST_PAUSE_S)
        while left:
            before = len(left)
            left = self._pass(left)
            if len(left) < before:
                wait.restart()
            else:
                cells = [each.cell for each in left]
                wait.pause(lambda cells=cells: list(map(_blocker, self._store.holders(cells))))

    def _pass(self, missing: Sequence[PlannedCell]) -> list[PlannedCell]:
        """Compute what can be claimed, in bundles; returns the cells that another process computes."""
        others: list[PlannedCell] = []
        while missing:
            part = max(SMALLEST_BUNDLE_PROMPTS, count_prompts(missing) // _BUNDLES_LEFT)
            size = len(missing) if self._in_one else bundle_size(missing, min(part, self._max_prompts))
            bundle, missing = missing[:size], missing[size:]
            with self._store.claim([each.cell for each in bundle]) as claimed:
                cells = set(claimed)
                mine = [each for each in bundle if each.cell in cells]
                if mine:
                    self._do(mine)
            others += self._not_done([each for each in bundle if each.cell not in cells])
        return others

    def _not_done(self, planned: Sequence[PlannedCell]) -> list[PlannedCell]:
        """The cells that no process has completed yet."""
        if not planned:
            return []
        lacking = set(self._store.missing(each.cell for each in planned)[0])
        if self._counts_others and (done := count_prompts(each for each in planned if each.cell not in lacking)):
            self._observer.advanced(done)
        return [each for each in planned if each.cell in lacking]

    def _do(self, planned: Sequence[PlannedCell]) -> None:
        counted = 0

        def count(prompts: int) -> None:
            nonlocal counted
            counted += prompts
            self._observer.advanced(prompts)

        try:
            results = self._compute(planned, count)
        except (RunError, StoppedError, SlowPatternError):
            raise
        except Exception as error:  # noqa: BLE001 - any error of a cell is recorded, and the other cells are scored
            self._observer.advanced(-counted)
            if len(planned) > 1:
                for each in planned:
                    self._do([each])
            else:
                self._record_failure(planned[0], error)
            return
        if results is not None:
            for each, result in zip(planned, results, strict=True):
                self.settle(each, result)

    def settle(self, planned: PlannedCell, result: Result | Exception) -> None:
        """Store the result of a cell, all of whose prompts were counted, or record how it failed."""
        if isinstance(result, Exception):
            self._observer.advanced(-planned.cell.num_examples)
            self._record_failure(planned, result)
        else:
            self._keep(planned, result)

    def _record_failure(self, planned: PlannedCell, error: Exception) -> None:
        cell = planned.cell
        text = str(error) if isinstance(error, PhraseproofError) else f"{type(error).__name__}: {error}"
        line = " ".join(text.split())
        self._store.record_failure(cell, line, "".join(traceback.format_exception(error)))
        self._observer.warned(f"{cell.task} under {cell.instruction} failed: {line}")


def count_prompts(planned: Iterable[PlannedCell]) -> int:
    """The prompts of all cells together."""
    return sum(each.cell.num_examples for each in planned)


def _blocker(holder: Holder) -> Blocker:
    return Blocker(holder.process, f"has computed {len(holder.identities)} of the cells")
