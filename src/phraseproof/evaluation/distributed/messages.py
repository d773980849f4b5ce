"""What the command and its workers send each other: plain data that can be pickled."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from phraseproof.core import Check, ModelIdentity
from phraseproof.errors import ModelError, PhraseproofError
from phraseproof.evaluation.device_share import DeviceShare
from phraseproof.evaluation.distributed.sent_folders import SentFolder
from phraseproof.evaluation.distributed.units import Unit, UnitPart
from phraseproof.evaluation.half_precision import Measurement
from phraseproof.evaluation.near_ties import PromptError
from phraseproof.store.journal import StoredOutcome
from phraseproof.version import __version__

if TYPE_CHECKING:
    from phraseproof.training.log import TrainingObserver

_OF_TRAININGS = ("accelerate", "peft", "safetensors")


@dataclass(frozen=True)
class Setup:
    """What every worker receives once.

    Attributes:
        share: the evaluation, without its model.
        device: where the worker computes, as torch names it.
        identity: of the model; a worker that finds another one must not compute.
        versions: of what computes; the same.
        tested: the prompts of the self-test; none for no test.
        folders: of the model or its adapter, if the command's machine has them and other machines may not.
        sent: their files, where a pool sends them.
    """

    share: DeviceShare
    device: str
    identity: ModelIdentity
    versions: Mapping[str, str]
    tested: tuple[UnitPart, ...] = ()
    folders: tuple[Path, ...] = ()
    sent: tuple[SentFolder, ...] = ()


class NumberedUnit(NamedTuple):
    """A unit of work on its way to a worker.

    Attributes:
        number: the unit's.
        unit: what is computed.
        measured: the error of half precision, where near-ties are scored again.
    """

    number: int
    unit: Unit
    measured: Measurement | None = None


class TrainingJob(Protocol):
    """A training that a worker can do: it can be pickled, and depends on nothing but its model."""

    @property
    def title(self) -> str:
        """What is done, in a few words."""
        ...

    @property
    def folder(self) -> Path:
        """Where its result is stored, on the command's machine."""
        ...

    def train(self, folder: Path, observer: TrainingObserver, *, device: str | None = None) -> None:
        """Train into a folder, from the checkpoint that it holds.

        Args:
            folder: receives what `self.folder` would.
            observer: of the training.
            device: where to compute, if the job leaves that open.
        """
        ...


@dataclass(frozen=True)
class TrainingSetup:
    """What every worker receives once, that trains.

    Attributes:
        device: where the workers compute, if a training leaves that open.
        versions: as in `Setup`.
    """

    device: str | None
    versions: Mapping[str, str]


class NumberedTraining(NamedTuple):
    """A training on its way to a worker.

    Attributes:
        number: the training's.
        job: what is trained.
        known: what its folder holds.
    """

    number: int
    job: TrainingJob
    known: SentFolder


Work = NumberedUnit | NumberedTraining


class Ready(NamedTuple):
    """A worker has loaded its model, which passed the checks."""

    checks: tuple[Check, ...]
    measurement: Measurement | None


class Said(NamedTuple):
    """A worker has a message for the user."""

    kind: Literal["noted", "warned"]
    text: str


class Rows(NamedTuple):
    """Outcomes of a cell of the plan, and the errors of the near-ties among them that were scored again."""

    cell: int
    rows: Sequence[StoredOutcome]
    rescored: Sequence[PromptError] = ()


class CellFailed(NamedTuple):
    """A cell could not be computed."""

    cell: int
    error: str
    details: str


class UnitDone(NamedTuple):
    """A unit is computed: all of its outcomes were sent before.

    Attributes:
        number: of the unit.
        remarks: for each cell, how many prompts have each sum of `PromptRemark`.
        parameters: how many the model has, where it counts them.
    """

    number: int
    remarks: Mapping[int, Mapping[int, int]]
    parameters: int | None = None


class FilePart(NamedTuple):
    """A part of a file of a training's folder.

    Attributes:
        number: of the training.
        name: the file's, with slashes.
        is_first: whether the file begins with it.
        data: the part.
    """

    number: int
    name: str
    is_first: bool
    data: bytes


class FolderWhole(NamedTuple):
    """All files of a training's folder were sent that are new: it can be resumed from there.

    Attributes:
        number: of the training.
        names: of all files in it.
    """

    number: int
    names: tuple[str, ...]


class TrainingDone(NamedTuple):
    """A training has ended, and its folder was sent; with its error if it failed."""

    number: int
    error: PhraseproofError | None = None


class WorkerFailed(NamedTuple):
    """A worker cannot compute anything, for the reason that it gives."""

    reason: str


class StopAll(NamedTuple):
    """No worker can compute anything more, as after a limit of the user's."""

    error: Exception


class WorkerLost(NamedTuple):
    """The process or the machine of a worker ended."""

    reason: str


Event = (
    Ready
    | Said
    | Rows
    | CellFailed
    | UnitDone
    | FilePart
    | FolderWhole
    | TrainingDone
    | WorkerFailed
    | StopAll
    | WorkerLost
)


class WorkerPool(Protocol):
    """Processes somewhere that compute units or train. Each worker has a number; none is used twice."""

    def wanted(self) -> int:
        """How many workers the pool has room for at the moment."""
        ...

    def start(self, *, measures: bool = False) -> int:
        """Request one more worker; returns its number. It may start much later, or never.

        Args:
            measures: the worker measures the error of half precision before it is ready.
        """
        ...

    def send(self, worker: int, work: Sequence[Work]) -> None:
        """Give units or trainings to a worker, which does them one after the other."""
        ...

    def put(self, data: bytes) -> object:
        """Leave data where workers find it; returns what they find it by."""
        ...

    def receive(self, timeout_s: float) -> list[tuple[int, list[Event]]]:
        """What workers have sent, in their order; waits for it for some time. `WorkerLost` is a worker's last event."""
        ...

    def stop(self, worker: int) -> None:
        """End a worker."""
        ...


def versions(*, trains: bool = False) -> dict[str, str]:
    """The versions of what can change a number.

    Args:
        trains: also in a training.
    """
    found = {"phraseproof": __version__, "python": ".".join(platform.python_version_tuple()[:2])}
    for package in ("torch", "transformers", "tokenizers", *(_OF_TRAININGS if trains else ())):
        try:
            found[package] = version(package).partition("+")[0]  # builds for CPUs and GPUs have equal rules
        except PackageNotFoundError:
            continue
    return found


def require_versions(expected: Mapping[str, str], *, trains: bool = False) -> None:
    """Check that this process would compute with the versions of the command.

    Raises:
        ModelError: it has another one.
    """
    if (here := versions(trains=trains)) != expected:
        differ = [name for name in {**expected, **here} if here.get(name) != expected.get(name)]
        raise ModelError(
            f"the worker has another version of {differ[0]}",
            expected=expected.get(differ[0], "none"),
            got=here.get(differ[0], "none"),
            hint="Install the same versions on every machine",
        )
