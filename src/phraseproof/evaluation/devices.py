"""One evaluation on several devices: a process for each, all at work on one run folder.

The folder is the queue: a process takes the next cells that nobody holds, and whatever it leaves behind when it dies is
free for the others (`store/writer.py: claim`). So nothing is planned ahead, no device waits for another one, and the
cells are those that one process would have written.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from phraseproof.errors import ModelError, PhraseproofError, UsageError
from phraseproof.models import ModelOptions

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from phraseproof.evaluation.observer import Observer


@dataclass(frozen=True)
class Devices:
    """What a process on another device needs to work on the same evaluation.

    Attributes:
        names: as torch names them; one may be named several times.
        model, tasks, instructions, options: as they were given to `resolve`, for it to be called again.
    """

    names: tuple[str, ...]
    model: str
    tasks: Any
    instructions: Mapping[str, Any]
    options: Mapping[str, Any]

    def work(self, out: Path, observer: Observer, *, self_test: bool) -> None:
        """`work_on_devices`."""
        work_on_devices(self, out, observer, self_test=self_test)


class _Worker(NamedTuple):
    """A process at work, and the name that messages give it."""

    process: SpawnProcess
    name: str


def named_devices(options: ModelOptions) -> tuple[str, ...]:
    """The devices that options name, separated by commas.

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


def work_on_devices(devices: Devices, out: Path, observer: Observer, *, self_test: bool) -> None:
    """Compute what the run folder lacks, on all devices; returns when every process has ended.

    A process that fails is reported in one line, and the others do its share.

    Args:
        out: the run folder; the plan is registered in it.

    Raises:
        ModelError: every process failed.
    """
    context = get_context("spawn")
    workers: dict[Connection, _Worker] = {}
    failures: list[str] = []
    said: set[str] = set()
    try:
        for number, device in enumerate(devices.names):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(theirs, devices, number, out, self_test), daemon=True)
            process.start()
            theirs.close()
            twins = devices.names.count(device) > 1
            workers[ours] = _Worker(process, f"{device} (process {number + 1})" if twins else device)
        alive = dict(workers)
        while alive:
            for connection in wait(list(alive)):
                assert isinstance(connection, Connection)
                failure = _listen(connection, alive, observer, said)
                if failure is not None:
                    failures.append(failure)
                    if len(failures) < len(workers):
                        observer.warned(f"{failure}; the others do its share")
    finally:
        for connection, worker in workers.items():
            worker.process.terminate()
            worker.process.join()
            connection.close()
    if len(failures) == len(workers):
        raise ModelError(failures[0])


def _listen(connection: Connection, alive: dict[Connection, _Worker], observer: Observer, said: set[str]) -> str | None:
    """Hand on what a process says; how it failed, if this was its end and not a good one."""
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
    elif what not in said:  # processes find out the same things
        said.add(what)
        (observer.warned if kind == "warned" else observer.noted)(what)
    return None


class _Relay:
    """An observer that tells another process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def noted(self, message: str) -> None:
        self._connection.send(("noted", message))

    def started(self, *, total: int, done: int) -> None: ...

    def advanced(self, prompts: int) -> None:
        self._connection.send(("advanced", prompts))

    def warned(self, message: str) -> None:
        self._connection.send(("warned", message))


def _work(connection: Connection, devices: Devices, number: int, out: Path, self_test: bool) -> None:
    """What a process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a key pressed reaches all; the first process ends the others
    # As an exception, so that what was scored is stored first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    _end_with_parent()
    device = devices.names[number]
    on_cpu = sum(name.startswith("cpu") for name in devices.names)
    if device.startswith("cpu"):
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // on_cpu)))
    # Imported here: that module imports this one, and torch must find the number of threads said.
    from phraseproof.evaluation.evaluate import resolve

    try:
        options = dict(devices.options)
        options["model_options"] = on_device(options.get("model_options", ModelOptions()), device)
        evaluation = resolve(devices.model, devices.tasks, devices.instructions, **options)  # pyright: ignore[reportArgumentType] - as they came
        evaluation.work_through(out, _Relay(connection), self_test=self_test, counts_others=False)
    except PhraseproofError as error:
        connection.send(("failed", str(error)))
    except Exception as error:  # noqa: BLE001 - whatever it was, the other processes go on
        connection.send(("failed", " ".join(f"{type(error).__name__}: {error}".split())))


def _end_with_parent() -> None:
    """A process whose parent was killed must not go on by itself."""
    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
