"""What a worker that trains does: it continues from what the command knows, and sends checkpoints and the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from phraseproof.errors import ModelError, PhraseproofError
from phraseproof.evaluation.distributed.messages import (
    Event,
    FilePart,
    FolderWhole,
    NumberedTraining,
    Ready,
    Said,
    TrainingDone,
    TrainingSetup,
    require_versions,
)
from phraseproof.evaluation.distributed.sent_folders import Fetch, FolderSender, unpack

if TYPE_CHECKING:
    from phraseproof.training.log import StepReport

_SECONDS_BETWEEN_REMARKS: Final = 15.0


class TrainingWorker:
    """Trains one model after the other, each in a temporary folder.

    Args:
        setup: where to compute, and with which versions.
        send: receives events.
        fetch: returns the data of the parts of folders that are sent.
    """

    def __init__(self, setup: TrainingSetup, send: Callable[[Event], None], fetch: Fetch) -> None:
        self._setup, self._send, self._fetch = setup, send, fetch

    def prepare(self) -> None:
        """Check the versions.

        Raises:
            ModelError: others would compute.
        """
        require_versions(self._setup.versions, trains=True)
        self._send(Ready((), None))

    def train(self, given: NumberedTraining) -> None:
        """Train, and send the folder; an error of the training is sent as well."""
        with TemporaryDirectory(prefix="phraseproof-") as name:
            folder = Path(name) / given.job.folder.name
            unpack(given.known, folder, self._fetch)
            sender = _Sender(given, folder, self._send)
            error: PhraseproofError | None = None
            try:
                given.job.train(folder, sender, device=self._setup.device)
            except PhraseproofError as found:
                error = _located(found, str(folder), str(given.job.folder))
            except Exception as found:  # noqa: BLE001 - whatever it was, the other trainings continue
                error = ModelError(" ".join(f"{type(found).__name__}: {found}".split()))
            sender.send_folder()
            self._send(TrainingDone(given.number, error))


class _Sender:
    """A `TrainingObserver` that sends what is said, the steps from time to time, and new checkpoints."""

    def __init__(self, given: NumberedTraining, folder: Path, send: Callable[[Event], None]) -> None:
        self._number, self._title, self._send = given.number, given.job.title, send
        self._folder = FolderSender(folder, self._part)
        self._total = 0
        self._said_at = time.monotonic()

    def noted(self, message: str) -> None:
        self._send(Said("noted", f"{self._title}: {message}"))

    def warned(self, message: str) -> None:
        self._send(Said("warned", f"{self._title}: {message}"))

    def started(self, *, total: int, done: int) -> None:
        self._total = total
        if done:
            self.noted(f"resuming after step {done:,} of {total:,}")

    def stepped(self, report: StepReport) -> None:
        if time.monotonic() - self._said_at > _SECONDS_BETWEEN_REMARKS:
            self._said_at = time.monotonic()
            loss = "" if report.loss is None else f": loss {report.loss:.4f}"
            self.noted(f"step {report.step:,} of {self._total:,}{loss}")
        if self._folder.is_due():
            self.send_folder()

    def send_folder(self) -> None:
        self._send(FolderWhole(self._number, self._folder.send()))

    def _part(self, name: str, is_first: bool, data: bytes) -> None:
        self._send(FilePart(self._number, name, is_first, data))


def _located(error: PhraseproofError, there: str, here: str) -> PhraseproofError:
    """The error with the folder of the command's machine in place of the worker's."""

    def moved(text: str | None) -> str | None:
        return None if text is None else text.replace(there, here)

    located = copy(error)
    located.problem = error.problem.replace(there, here)
    located.expected, located.got = moved(error.expected), moved(error.got)
    located.where, located.hint = moved(error.where), moved(error.hint)
    return located
