"""The sessions of a run: each process that computes for it records its time, hardware and energy in `run.json`."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from phraseproof.core import ChoosesMethod, Model, RunsOnDevice
from phraseproof.energy.meter import SessionMeter
from phraseproof.energy.session import SESSIONS, Workload
from phraseproof.errors import PhraseproofError
from phraseproof.evaluation.observer import PassingObserver

if TYPE_CHECKING:
    from phraseproof.evaluation.observer import Observer
    from phraseproof.models.options import ModelOptions
    from phraseproof.store.writer import RunStore

SECONDS_BETWEEN_SAVES = 300.0
"""A process that is killed loses the record of about this much time; what it scored is kept."""


class NamesDevices(Protocol):
    """Processes that do the work."""

    @property
    def names(self) -> tuple[str, ...]:
        """Their devices."""
        ...

    @property
    def elsewhere(self) -> str:
        """Why the energy of the work is not tracked; empty where it is work of this machine."""
        ...


@contextmanager
def recorded_session(
    store: RunStore, model: Model, options: ModelOptions, observer: Observer, *, workers: NamesDevices | None = None
) -> Generator[Observer]:
    """Record the work of the block as a session of the run.

    Args:
        store: the run folder.
        model: what is evaluated.
        options: how it was loaded.
        observer: of the work.
        workers: other processes that do the work.

    Yields:
        The observer to use in the block.
    """
    elsewhere = "" if workers is None else workers.elsewhere
    devices = devices_of(model) if workers is None else workers.names
    meter = SessionMeter(devices, observer.warned, untracked=elsewhere)

    def save(*, stop: bool = False) -> None:
        used = () if elsewhere else devices
        session = meter.read(lambda: Workload(used, model.identity.dtype, _batch(options)), stop=stop)
        if elsewhere:
            session = replace(session, hardware=", ".join(devices))
        store.register([], {SESSIONS: {meter.name: session.as_record()}})

    try:
        yield _SavingObserver(observer, save)
    finally:
        with suppress(PhraseproofError):  # a folder that cannot be written has ended the work with its own error
            save(stop=True)


def devices_of(model: Model) -> tuple[str, ...]:
    """The devices that compute, as torch names them; none for a model behind a server."""
    if isinstance(model, RunsOnDevice):
        return tuple(model.device.split(","))
    return () if isinstance(model, ChoosesMethod) else ("cpu",)


def _batch(options: ModelOptions) -> str:
    return "by tokens" if options.batch_size is None else f"{options.batch_size} prompts"


class _SavingObserver(PassingObserver):
    """Passes everything on, and saves the session from time to time."""

    def __init__(self, observer: Observer, save: Callable[[], None]) -> None:
        super().__init__(observer)
        self._save = save
        self._saved_at = time.monotonic()

    def advanced(self, prompts: int) -> None:
        super().advanced(prompts)
        if time.monotonic() - self._saved_at >= SECONDS_BETWEEN_SAVES:
            self._saved_at = time.monotonic()
            self._save()
