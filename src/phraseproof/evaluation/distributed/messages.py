"""What the evaluation and its workers send each other: plain data that can be pickled."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, NamedTuple, Protocol

from phraseproof.core import Check, ModelIdentity
from phraseproof.evaluation.device_share import DeviceShare
from phraseproof.evaluation.distributed.units import Unit, UnitPart
from phraseproof.evaluation.half_precision import Measurement
from phraseproof.store.journal import StoredOutcome
from phraseproof.version import __version__


@dataclass(frozen=True)
class Setup:
    """What every worker receives once.

    Attributes:
        share: the evaluation, without its model.
        device: where the worker computes, as torch names it.
        identity: of the model; a worker that finds another one must not compute.
        versions: of what computes; the same.
        tested: the prompts of the self-test; none for no test.
    """

    share: DeviceShare
    device: str
    identity: ModelIdentity
    versions: Mapping[str, str]
    tested: tuple[UnitPart, ...] = ()


class NumberedUnit(NamedTuple):
    """A unit of work on its way to a worker."""

    number: int
    unit: Unit


class Ready(NamedTuple):
    """A worker has loaded its model, which passed the checks."""

    checks: tuple[Check, ...]
    measurement: Measurement | None


class Said(NamedTuple):
    """A worker has a message for the user."""

    kind: Literal["noted", "warned"]
    text: str


class Rows(NamedTuple):
    """Outcomes of a cell of the plan."""

    cell: int
    rows: Sequence[StoredOutcome]


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


class WorkerFailed(NamedTuple):
    """A worker cannot compute anything, for the reason that it gives."""

    reason: str


class StopAll(NamedTuple):
    """No worker can compute anything more, as after a limit of the user's."""

    error: Exception


class WorkerLost(NamedTuple):
    """The process or the machine of a worker ended."""

    reason: str


Event = Ready | Said | Rows | CellFailed | UnitDone | WorkerFailed | StopAll | WorkerLost


class WorkerPool(Protocol):
    """Processes somewhere that compute units. Each worker has a number; none is used twice."""

    def wanted(self) -> int:
        """How many workers the pool has room for at the moment."""
        ...

    def start(self, *, measures: bool = False) -> int:
        """Request one more worker; returns its number. It may start much later, or never.

        Args:
            measures: the worker measures the error of half precision before it is ready.
        """
        ...

    def send(self, worker: int, units: Sequence[NumberedUnit]) -> None:
        """Give units to a worker, which computes them one after the other."""
        ...

    def receive(self, timeout_s: float) -> list[tuple[int, list[Event]]]:
        """What workers have sent, in their order; waits for it for some time. `WorkerLost` is a worker's last event."""
        ...

    def stop(self, worker: int) -> None:
        """End a worker."""
        ...


def versions() -> dict[str, str]:
    """The versions of what can change a number."""
    found = {"phraseproof": __version__, "python": ".".join(platform.python_version_tuple()[:2])}
    for package in ("torch", "transformers", "tokenizers"):
        try:
            found[package] = version(package).partition("+")[0]  # builds for CPUs and GPUs have equal rules
        except PackageNotFoundError:
            continue
    return found
