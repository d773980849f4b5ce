"""Workers as actors of Ray, on a cluster or on this machine. Only this module and `ray_connection.py` know Ray."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any, Final

from phraseproof.errors import UsageError
from phraseproof.evaluation.distributed.messages import Event, Setup, TrainingSetup, Work, WorkerLost
from phraseproof.evaluation.distributed.pooled import OpenPool, WorkerSet
from phraseproof.evaluation.distributed.ray_connection import connection, require_ray
from phraseproof.evaluation.distributed.sent_folders import pack
from phraseproof.evaluation.distributed.worker_options import WorkerOptions, read_worker_options
from phraseproof.evaluation.distributed.worker_server import WorkerServer
from phraseproof.evaluation.observer import Observer

_ROOM_EVERY_S: Final = 5.0
_NO_WORKER_AFTER_S: Final = 60.0
_END_S: Final = 5.0
"""How long workers may take to remove what they have written."""


@contextmanager
def kept_workers(options: WorkerOptions) -> Generator[KeptWorkers]:
    """Workers for all evaluations and trainings of a block.

    A cluster is connected to, or started, when the first one needs it. Workers that are idle keep their process, and
    the model that they have loaded.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    require_ray()
    with ExitStack() as stack:
        yield KeptWorkers(options, stack)


@contextmanager
def kept(workers: str | WorkerOptions | WorkerSet | None) -> Generator[WorkerSet | None]:
    """The workers that a caller of Python names, for all evaluations and trainings of a block.

    Args:
        workers: as in `--workers`, with what each one gets, or those that the caller keeps; `None` for none.

    Raises:
        UsageError: it names no workers.
        MissingExtraError: as `kept_workers`.
    """
    options = read_worker_options(workers) if isinstance(workers, str) else workers
    if isinstance(options, WorkerOptions):
        with kept_workers(options) as own:
            yield own
    else:
        yield options


class KeptWorkers:
    """See `kept_workers`.

    Args:
        options: how many workers, and what each one gets.
        stack: is closed when they are no longer needed.

    Attributes:
        options: likewise.
    """

    def __init__(self, options: WorkerOptions, stack: ExitStack) -> None:
        self.options = options
        self._stack = stack
        self._ray: Any = None
        self._idle: list[Any] = []

    @property
    def open_pool(self) -> OpenPool:
        """What gives the workers to one evaluation, or to some trainings."""
        return self.pool

    @contextmanager
    def pool(self, options: WorkerOptions, setup: Setup | TrainingSetup, observer: Observer) -> Generator[RayPool]:
        """The workers, for the length of the block; one at a time.

        Raises:
            UsageError: the cluster cannot be reached, or this machine has no room for a worker.
        """
        if self._ray is None:
            self._ray = self._stack.enter_context(connection(options, observer))
            self._stack.callback(self._end)
        if options.is_local:
            require_room([node["Resources"] for node in self._ray.nodes()], options)
        pool = RayPool(self._ray, options, setup, observer, self._idle)
        try:
            yield pool
        except BaseException:
            pool.close()  # they may be at work for nothing
            self._idle = []
            raise
        self._idle = pool.release()

    def _end(self) -> None:
        """Have idle workers remove what they have written, and end them."""
        with suppress(Exception):  # some may be lost
            self._ray.wait([actor.close.remote() for actor in self._idle], num_returns=len(self._idle), timeout=_END_S)
        for actor in self._idle:
            with suppress(Exception):
                self._ray.kill(actor)


class _WorkerActor(WorkerServer):
    """A worker as an actor."""

    def __init__(self) -> None:
        import ray

        def fetch(part: Any) -> bytes:
            return ray.get(part)

        super().__init__(fetch)


class RayPool:
    """Actors of a cluster; each one has one call open, which returns its events.

    Args:
        ray: the module, connected.
        options: what each worker gets.
        setup: what each worker receives.
        observer: notified if no worker starts.
        idle: actors that are used before others are requested.
    """

    def __init__(
        self,
        ray: Any,
        options: WorkerOptions,
        setup: Setup | TrainingSetup,
        observer: Observer,
        idle: Sequence[Any] = (),
    ) -> None:
        self._ray, self._options, self._observer = ray, options, observer
        self._idle = list(idle)
        # A cluster of one machine may be another one than the command's, and may grow.
        if isinstance(setup, Setup) and (not options.is_local or len(ray.nodes()) > 1):
            setup = replace(setup, sent=tuple(pack(folder, ray.put) for folder in setup.folders))
        self._setup = ray.put(setup)
        resources: dict[str, object] = {"num_cpus": options.cpus, "num_gpus": options.gpus}
        if options.memory_bytes is not None:
            resources["memory"] = options.memory_bytes
        # A lost actor is replaced here, and its units are given to others: Ray repeats nothing.
        self._actor = ray.remote(_WorkerActor).options(
            max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD", **resources
        )
        self._actors: dict[int, Any] = {}
        self._calls: dict[Any, int] = {}
        self._work: dict[int, list[Work]] = {}
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
        """Take an idle actor, or request one. Where the cluster has no room, it waits for its autoscaler."""
        self._started += 1
        worker = self._started
        actor = self._idle.pop() if self._idle else self._actor.remote()
        self._actors[worker] = actor
        self._work[worker] = []
        self._calls[actor.begin.remote(self._setup, measures=measures)] = worker
        return worker

    def send(self, worker: int, work: Sequence[Work]) -> None:
        """Give units or trainings with the next call."""
        self._work[worker] += work

    def put(self, data: bytes) -> object:
        """Leave data in the object store, as long as the result is kept."""
        return self._ray.put(data)

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
        self._work.pop(worker)
        for call in [call for call, number in self._calls.items() if number == worker]:
            del self._calls[call]
        with suppress(Exception):  # it may have ended
            self._ray.kill(actor)

    def release(self) -> list[Any]:
        """All actors that are left; none of them computes anything that is still needed."""
        left = [*self._actors.values(), *self._idle]
        self._actors.clear()
        self._calls.clear()
        return left

    def close(self) -> None:
        """End all actors."""
        for worker in list(self._actors):
            self.stop(worker)
        for actor in self._idle:
            with suppress(Exception):
                self._ray.kill(actor)

    def _call(self, worker: int) -> None:
        work, self._work[worker] = self._work[worker], []
        self._calls[self._actors[worker].exchange.remote(work)] = worker

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
