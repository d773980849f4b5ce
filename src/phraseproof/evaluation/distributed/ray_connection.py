"""A connection to a cluster of Ray, or to one that is started on this machine for the length of a block."""

from __future__ import annotations

import atexit
import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Final

from phraseproof.errors import MissingExtraError, StoppedError, UsageError
from phraseproof.evaluation.distributed.worker_options import WorkerOptions
from phraseproof.evaluation.observer import Observer

OBJECT_STORE_BYTES: Final = 100_000_000
"""Of a cluster on this machine: outcomes pass through it in small parts."""

ADDRESS_VARIABLE: Final = "RAY_ADDRESS"
_ANSWERS_WITHIN_S: Final = 5.0
_HINT: Final = "ray status shows it; `ray start --head` starts one on this machine"


def require_ray() -> None:
    """Check that Ray is installed, without loading it.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("ray") is None:
        raise MissingExtraError("--workers", extra="ray", package="ray")


@contextmanager
def connection(options: WorkerOptions, observer: Observer) -> Generator[Any]:
    """Connect to a cluster, or start one on this machine, for the length of the block; gives the module `ray`.

    A connection that the caller's program has already made to Ray is used as it is.

    Raises:
        UsageError: the cluster cannot be reached.
        StoppedError: none can be started on this machine.
    """
    if not options.is_local:
        require_reachable(options.address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read at the import
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray

    if ray.is_initialized():
        yield ray
        return
    atexit.register(ray.shutdown)
    try:
        _connect(ray, options, observer)
        yield ray
    finally:
        ray.shutdown()
        atexit.unregister(ray.shutdown)


def require_reachable(address: str) -> None:
    """Check that something listens at an address: Ray tries for long, and logs every attempt.

    Args:
        address: as in `WorkerOptions`; `auto` is where RAY_ADDRESS says, and is not checked without it.

    Raises:
        UsageError: nothing listens there.
    """
    named = os.environ.get(ADDRESS_VARIABLE, "") if address == "auto" else address
    host, _, port = named.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWERS_WITHIN_S).close()
    except (OSError, OverflowError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(
            f"no Ray cluster answers at {host}:{port}: {reason.lower()}",
            where=ADDRESS_VARIABLE if address == "auto" else "--workers",
            hint=_HINT,
        ) from None


def _connect(ray: Any, options: WorkerOptions, observer: Observer) -> None:
    start: dict[str, object] = {"address": options.address, "log_to_driver": False, "logging_level": "error"}
    if options.is_local:
        assert options.count is not None, "local:N has a number"
        observer.noted(f"starting Ray on this machine, {options.name.partition(' by ')[0]}")
        os.environ.setdefault("RAY_worker_niceness", "0")  # as high a priority as this process has
        os.environ.setdefault("RAY_raylet_start_wait_time_s", "300")  # a busy machine takes longer than Ray's 30 s
        start["num_cpus"] = max(1, math.ceil(options.count * options.cpus))
        start["object_store_memory"] = OBJECT_STORE_BYTES
        start["include_dashboard"] = False
    try:
        with _connecting():
            ray.init(**start)
    except Exception as error:  # noqa: BLE001 - Ray raises many kinds
        reason = " ".join(str(error).split())[:300].rstrip(".")
        if options.is_local:
            raise StoppedError(f"Ray cannot be started on this machine: {reason}", where="--workers") from None
        raise UsageError(f"the Ray cluster cannot be reached: {reason}", where="--workers", hint=_HINT) from None


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
