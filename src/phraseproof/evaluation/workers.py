"""One evaluation on several devices: one process per device, all working on the same run folder.

The folder is the queue: a process takes the next cells that no other process holds, and the cells of a process that
dies are free for the others (`store/writer.py: claim`). So nothing is scheduled in advance, no device waits for another
one, and the cells are the same as those of a single process.

This module knows processes only. What they compute is a callable that it receives (`device_share.py`).
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections import Counter
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from phraseproof.errors import ModelError, PhraseproofError, UsageError
from phraseproof.evaluation.observer import Observer
from phraseproof.models import ModelOptions

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess


class Compute(Protocol):
    """What each process does. Has to be picklable."""

    def __call__(self, device: str, out: Path, observer: Observer, self_test: bool, /) -> None:
        """Compute on `device` what the run folder `out` lacks."""
        ...


@dataclass(frozen=True)
class DeviceWorkers:
    """One process per device, all working on the same run folder.

    Attributes:
        names: devices as torch names them; one may be named several times, for several processes.
        compute: what each process does.
    """

    names: tuple[str, ...]
    compute: Compute

    @property
    def elsewhere(self) -> str:
        """Nothing: they are processes of this machine, whose energy is tracked."""
        return ""

    def work(self, out: Path, observer: Observer, *, self_test: bool) -> None:
        """Compute what the run folder lacks, on all devices; returns when every process has ended.

        A process that fails is reported in one line, and the others compute its share.

        Args:
            out: the run folder; the plan is registered in it.
            observer: receives what the processes report, each message once.
            self_test: check the model's scores on each device first.

        Raises:
            ModelError: every process failed.
        """
        _work_on_devices(self, out, observer, self_test=self_test)


class _Worker(NamedTuple):
    """A running process, and its name in messages."""

    process: SpawnProcess
    name: str


def named_devices(options: ModelOptions) -> tuple[str, ...]:
    """The devices that the options name, separated by commas.

    Raises:
        UsageError: a name is empty.
    """
    named = options.args.get("device", options.device)
    devices = tuple(name.strip() for name in named.split(","))
    if not all(devices):
        raise UsageError("a device has no name", expected="DEVICE or DEVICE,DEVICE", got=repr(named), where="--device")
    return devices


def on_device(options: ModelOptions, device: str) -> ModelOptions:
    """The same options for one device."""
    rest = {name: value for name, value in options.args.items() if name != "device"}
    return replace(options, device=device, args=rest)


def by_default_on(options: ModelOptions, device: str | None) -> ModelOptions:
    """The same options, for the device that they name, or else for this one; `None` leaves it open."""
    asked = options.args.get("device", options.device)
    return on_device(options, device if asked == "auto" and device is not None else asked)


def _work_on_devices(devices: DeviceWorkers, out: Path, observer: Observer, *, self_test: bool) -> None:
    context = get_context("spawn")
    # Pickled here, so that a process unpickles it (and imports what it needs) after it has set its number of threads.
    compute = pickle.dumps(devices.compute)
    counts = Counter(devices.names)
    workers: dict[Connection, _Worker] = {}
    failures: list[str] = []
    said: set[str] = set()
    try:
        for number, device in enumerate(devices.names):
            ours, theirs = context.Pipe(duplex=False)
            share = _Share(device, sum(name.startswith("cpu") for name in devices.names), out, self_test)
            process = context.Process(target=_work, args=(theirs, compute, share), daemon=True)
            process.start()
            theirs.close()
            workers[ours] = _Worker(process, f"{device} (process {number + 1})" if counts[device] > 1 else device)
        alive = dict(workers)
        while alive:
            for connection in wait(list(alive)):
                assert isinstance(connection, Connection)
                failure = _listen(connection, alive, observer, said)
                if failure is not None:
                    failures.append(failure)
                    if len(failures) < len(workers):
                        observer.warned(f"{failure}; the others compute its share")
    finally:
        for connection, worker in workers.items():
            worker.process.terminate()
            worker.process.join()
            connection.close()
    if len(failures) == len(workers):
        raise ModelError(failures[0])


def _listen(connection: Connection, alive: dict[Connection, _Worker], observer: Observer, said: set[str]) -> str | None:
    """Pass on a message of a process; returns how it failed, if it did."""
    worker = alive[connection]
    try:
        kind, what = connection.recv()
    except EOFError:
        worker.process.join()
        del alive[connection]
        code = worker.process.exitcode or 0
        cause = f"signal {-code}" if code < 0 else f"exit code {code}"
        return f"the process on {worker.name} ended with {cause}" if code else None
    if kind == "failed":
        del alive[connection]
        return f"the process on {worker.name} failed: {what}"
    if kind == "advanced":
        observer.advanced(what)
    elif what not in said:  # several processes find the same things
        said.add(what)
        (observer.warned if kind == "warned" else observer.noted)(what)
    return None


class _Relay:
    """An observer that sends everything to the parent process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def noted(self, message: str) -> None:
        self._connection.send(("noted", message))

    def started(self, *, total: int, done: int) -> None: ...

    def advanced(self, prompts: int) -> None:
        self._connection.send(("advanced", prompts))

    def warned(self, message: str) -> None:
        self._connection.send(("warned", message))


class _Share(NamedTuple):
    """What one process is started with: its device, how many processes are on the CPU, and what to do."""

    device: str
    on_cpu: int
    out: Path
    self_test: bool


def _work(connection: Connection, compute: bytes, share: _Share) -> None:
    """What a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the first one ends the others
    # As an exception, so that what was scored is stored first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    _end_with_parent()
    if share.device.startswith("cpu"):  # before anything imports torch, which reads the variable then
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // share.on_cpu)))
    try:
        work: Compute = pickle.loads(compute)  # noqa: S301 - written by the parent process a moment ago
        work(share.device, share.out, _Relay(connection), share.self_test)
    except PhraseproofError as error:
        connection.send(("failed", str(error)))
    except Exception as error:  # noqa: BLE001 - whatever it was, the other processes continue
        connection.send(("failed", " ".join(f"{type(error).__name__}: {error}".split())))


def _end_with_parent() -> None:
    """End this process when its parent is killed."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
