"""Workers as actors of Ray, on a cluster or on this machine. Nothing else in phraseproof knows Ray."""

from __future__ import annotations

import atexit
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any, Final

from phraseproof.errors import MissingExtraError, UsageError
from phraseproof.evaluation.distributed.messages import Event, NumberedUnit, Setup, WorkerLost
from phraseproof.evaluation.distributed.unit_worker import WorkerServer
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer

OBJECT_STORE_BYTES: Final = 100_000_000
"""Of a cluster on this machine: outcomes pass through it in small parts."""

_ROOM_EVERY_S: Final = 5.0
_NO_WORKER_AFTER_S: Final = 60.0


def require_ray() -> None:
    """Check that Ray is installed, without loading it.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("ray") is None:
        raise MissingExtraError("--workers", extra="ray", package="ray")


@contextmanager
def ray_pool(options: WorkerOptions, setup: Setup, observer: Observer) -> Generator[RayPool]:
    """Connect to a cluster, or start one on this machine, for the length of the block.

    A connection that the caller's program has already made to Ray is used as it is.

    Raises:
        UsageError: the cluster cannot be reached, or this machine has no room for a worker.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read at the import
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    was_connected = ray.is_initialized()
    if not was_connected:
        atexit.register(ray.shutdown)
        _connect(ray, options, observer)
    pool = RayPool(ray, options, setup, observer)
    try:
        if options.is_local:
            require_room([node["Resources"] for node in ray.nodes()], options)
        yield pool
    finally:
        pool.close()
        if not was_connected:
            ray.shutdown()
            atexit.unregister(ray.shutdown)


def _connect(ray: Any, options: WorkerOptions, observer: Observer) -> None:
    quiet: dict[str, object] = {"log_to_driver": False, "logging_level": "error"}
    if options.is_local:
        assert options.count is not None, "local:N has a number"
        observer.noted(f"starting Ray on this machine, {options.name.partition(' by ')[0]}")
        os.environ.setdefault("RAY_worker_niceness", "0")  # as high a priority as this process has
        with _connecting():
            ray.init(
                address="local",
                num_cpus=max(1, math.ceil(options.count * options.cpus)),
                object_store_memory=OBJECT_STORE_BYTES,
                include_dashboard=False,
                **quiet,
            )
        return
    try:
        with _connecting():
            ray.init(address=options.address, **quiet)
    except Exception as error:  # noqa: BLE001 - Ray raises many kinds
        reason = " ".join(str(error).split())[:300].rstrip(".")
        raise UsageError(
            f"the Ray cluster cannot be reached: {reason}",
            where="--workers",
            hint="ray status shows it; `ray start --head` starts one on this machine",
        ) from None


@contextmanager
def _connecting() -> Generator[None]:
    """Undo what Ray changes in this process when it connects.

    It replaces the handler of SIGTERM, which says what a stopped run has kept. And it prints messages about lost
    processes to stdout, which holds results, and has no option against it; losses are reported by us.
    """
    handler = signal.getsignal(signal.SIGTERM)
    module, name = sys.modules.get("ray._private.worker"), "listen_error_messages"
    listen = getattr(module, name, None)
    if listen is not None:
        setattr(module, name, _ignore)
    try:
        yield
    finally:
        if listen is not None:
            setattr(module, name, listen)
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _ignore(*_: object) -> None: ...


class RayPool:
    """Actors of a cluster; each one has one call open, which returns its events.

    Args:
        ray: the module, connected.
        options: what each worker gets.
        setup: what each worker receives.
        observer: notified if no worker starts.
    """

    def __init__(self, ray: Any, options: WorkerOptions, setup: Setup, observer: Observer) -> None:
        self._ray, self._options, self._observer = ray, options, observer
        self._setup = ray.put(setup)
        resources: dict[str, object] = {"num_cpus": options.cpus, "num_gpus": options.gpus}
        if options.memory_bytes is not None:
            resources["memory"] = options.memory_bytes
        # A lost actor is replaced here, and its units are given to others: Ray repeats nothing.
        self._actor = ray.remote(WorkerServer).options(
            max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD", **resources
        )
        self._actors: dict[int, Any] = {}
        self._calls: dict[Any, int] = {}
        self._units: dict[int, list[NumberedUnit]] = {}
        self._started = 0
        self._began = time.monotonic()
        self._has_heard = False
        self._room, self._room_at = 0, -_ROOM_EVERY_S

    def wanted(self) -> int:
        """The number that is asked for, or what the machines of the cluster have room for, at least one."""
        if self._options.count is not None:
            return self._options.count
        if time.monotonic() - self._room_at >= _ROOM_EVERY_S:
            self._room_at = time.monotonic()
            nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
            self._room = max(1, sum(room_of(node, self._options) for node in nodes))
        return self._room

    def start(self, *, measures: bool = False) -> int:
        """Request an actor. Where the cluster has no room, it waits for its autoscaler."""
        self._started += 1
        worker = self._started
        self._actors[worker] = self._actor.remote(self._setup, measures=measures)
        self._units[worker] = []
        self._call(worker)
        return worker

    def send(self, worker: int, units: Sequence[NumberedUnit]) -> None:
        """Give units with the next call."""
        self._units[worker] += units

    def receive(self, timeout_s: float) -> list[tuple[int, list[Event]]]:
        """The events of all calls that have returned, and the losses of workers."""
        for worker in set(self._actors) - set(self._calls.values()):
            self._call(worker)
        calls = list(self._calls)
        ready, _ = self._ray.wait(calls, num_returns=1, timeout=timeout_s)
        if ready:
            ready, _ = self._ray.wait(calls, num_returns=len(calls), timeout=0)
            self._has_heard = True
        elif not self._has_heard and time.monotonic() - self._began > _NO_WORKER_AFTER_S:
            self._has_heard = True
            self._observer.warned(
                f"no worker has started after {_NO_WORKER_AFTER_S:.0f} seconds: each one needs "
                f"{self._options.resources}; ray status shows what the cluster has"
            )
        return [(worker, self._events(call, worker)) for call in ready if (worker := self._calls.pop(call))]

    def stop(self, worker: int) -> None:
        """End an actor."""
        actor = self._actors.pop(worker)
        self._units.pop(worker)
        for call in [call for call, number in self._calls.items() if number == worker]:
            del self._calls[call]
        with suppress(Exception):  # it may have ended
            self._ray.kill(actor)

    def close(self) -> None:
        """End all actors."""
        for worker in list(self._actors):
            self.stop(worker)

    def _call(self, worker: int) -> None:
        units, self._units[worker] = self._units[worker], []
        self._calls[self._actors[worker].exchange.remote(units)] = worker

    def _events(self, call: Any, worker: int) -> list[Event]:
        try:
            return self._ray.get(call)
        except Exception as error:  # noqa: BLE001 - whatever Ray raises, the worker is lost
            self.stop(worker)  # one that cannot be reached must not go on computing
            return [WorkerLost(_reason(error))]


def room_of(resources: Mapping[str, float], options: WorkerOptions) -> int:
    """How many workers a machine with these resources has room for."""
    needs = {"CPU": options.cpus, "GPU": options.gpus, "memory": float(options.memory_bytes or 0)}
    return min(int(resources.get(name, 0.0) / need + 1e-9) for name, need in needs.items() if need)


def require_room(machines: Sequence[Mapping[str, float]], options: WorkerOptions) -> None:
    """Check that a worker can start: machines that Ray does not add to have room now or never.

    Raises:
        UsageError: none of them has what a worker needs.
    """
    if not any(room_of(machine, options) for machine in machines):
        shown = (
            f"{each.get('CPU', 0):g} CPU, {each.get('GPU', 0):g} GPU, {each.get('memory', 0) / 1e9:.1f} GB memory"
            for each in machines
        )
        raise UsageError(
            "this machine has no room for a worker",
            expected=options.resources,
            got="; ".join(shown),
            where="--worker-arg",
            hint="Ask for less, or give a cluster with --workers ray",
        )


def _reason(error: Exception) -> str:
    """What Ray says of a loss, in its first sentence."""
    text = " ".join(str(error).split())
    return text.partition(". ")[0][:200] or type(error).__name__
