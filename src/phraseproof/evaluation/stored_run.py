"""Where an evaluation writes: a run folder, or the working copy of a run in object storage."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.evaluation.observer import Observer, PassingObserver, SilentObserver
from phraseproof.store.locks import PATIENT, LockOptions
from phraseproof.store.urls import url_of

if TYPE_CHECKING:
    from phraseproof.store.remote.working_copy import WorkingCopy


class RunTarget(NamedTuple):
    """Where an evaluation writes, and who is notified of it.

    Attributes:
        folder: the run folder.
        observer: of the evaluation.
    """

    folder: Path
    observer: Observer


@contextmanager
def run_target(out: Path, observer: Observer | None, *, locking: LockOptions = PATIENT) -> Generator[RunTarget]:
    """Where to write the run `out`. If it is a URL, what is new is uploaded within the block and at its end.

    Args:
        out: a folder or URL.
        observer: of the evaluation.
        locking: how long another writer of a URL is waited for.

    Raises:
        RunError: another process writes the run at the URL, or the store cannot be used.
    """
    observer = observer or SilentObserver()
    url = url_of(out)
    if url is None:
        yield RunTarget(out, observer)
        return
    from phraseproof.store.remote.working_copy import working_copy

    with working_copy(url, observer.warned, locking=locking) as copy:
        yield RunTarget(copy.folder, _Watchful(observer, copy))


class _Watchful(PassingObserver):
    """Passes everything on; raises a `RunError` in the evaluation when another process has taken over the run."""

    def __init__(self, observer: Observer, copy: WorkingCopy) -> None:
        super().__init__(observer)
        self._copy = copy

    def advanced(self, prompts: int) -> None:
        super().advanced(prompts)
        self._copy.require_ours()
