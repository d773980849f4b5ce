"""How an evaluation is divided among workers: what `--workers` and `--worker-arg` say, as one value."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from phraseproof.errors import UsageError
from phraseproof.models.options import positive_int

_FORMS: Final = "local:N, ray, ray:HOST:PORT or ray://HOST:PORT"
_ARGS: Final = ("count", "cpus", "gpus", "memory", "unit_tokens")
_UNITS: Final = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


@dataclass(frozen=True)
class WorkerOptions:
    """Where the workers run, and what each one gets.

    Attributes:
        address: of the Ray cluster, as Ray writes it (`auto`, `HOST:PORT`, `ray://HOST:PORT`); `local` for one that is
            started on this machine for this evaluation.
        count: the number of workers; `None`: as many as the cluster has room for, also when it grows.
        cpus, gpus: of each worker.
        memory_bytes: that Ray sets apart for each worker; `None`: nothing is set apart.
        unit_tokens: the largest unit of work; `None`: from the size of the plan.
    """

    address: str = "local"
    count: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0
    memory_bytes: int | None = None
    unit_tokens: int | None = None

    @property
    def is_local(self) -> bool:
        """Whether the cluster is started on this machine, for this evaluation alone."""
        return self.address == "local"

    @property
    def name(self) -> str:
        """The workers in words."""
        count = "workers" if self.count is None else f"{self.count} worker{'' if self.count == 1 else 's'}"
        return f"{count} of {self.resources} by Ray, {'this machine' if self.is_local else self.address}"

    @property
    def resources(self) -> str:
        """What each worker needs, in words."""
        parts = [f"{self.cpus:g} CPU{'' if self.cpus == 1 else 's'}"]
        if self.gpus:
            parts.append(f"{self.gpus:g} GPU{'' if self.gpus == 1 else 's'}")
        if self.memory_bytes is not None:
            parts.append(f"{self.memory_bytes / 2**30:.3g} GiB of memory")
        return ", ".join(parts)

    @property
    def default_device(self) -> str | None:
        """Where each worker computes unless a model's options say where: on the CPU, if it has no GPU."""
        return None if self.gpus else "cpu"


def read_worker_options(workers: str, args: Mapping[str, str] | None = None) -> WorkerOptions:
    """Read the workers that a text names, and what each one gets.

    Args:
        workers: `local:N` (this machine), `ray` (the cluster of this machine, or that of RAY_ADDRESS), `ray:HOST:PORT`
            (a cluster that this machine belongs to) or `ray://HOST:PORT` (by Ray Client).
        args: `count`, `cpus`, `gpus`, `memory` (as in `16GB`) and `unit_tokens`.

    Raises:
        UsageError: it names nothing of these.
    """
    found = dict(args or {})
    for name in found:
        if name not in _ARGS:
            close = difflib.get_close_matches(name, _ARGS, n=1)
            raise UsageError(
                f"unknown worker argument '{name}'",
                expected=f"one of: {', '.join(_ARGS)}",
                where="--worker-arg",
                hint=f"Did you mean '{close[0]}'?" if close else None,
            )
    address, count = _address(workers)
    if "count" in found:
        if count is not None:
            raise UsageError(
                "the number of workers is given twice",
                got=f"{workers} and count={found['count']}",
                where="--workers and --worker-arg",
            )
        count = _whole(found["count"], "count")
    cpus, gpus = _number(found, "cpus", 1.0), _number(found, "gpus", 0.0)
    if cpus == 0 and gpus == 0:
        raise UsageError("a worker needs a CPU or a GPU", got="cpus=0 and gpus=0", where="--worker-arg")
    return WorkerOptions(
        address=address,
        count=count,
        cpus=cpus,
        gpus=gpus,
        memory_bytes=None if "memory" not in found else _bytes(found["memory"]),
        unit_tokens=None if "unit_tokens" not in found else _whole(found["unit_tokens"], "unit_tokens"),
    )


def _address(workers: str) -> tuple[str, int | None]:
    kind, separator, rest = workers.strip().partition(":")
    if kind == "local" and separator:
        return "local", _whole(rest, "local", where=f"--workers {workers}")
    if kind == "ray":
        if not separator:
            return "auto", None
        if rest.startswith("//") and len(rest) > 2:
            return workers.strip(), None
        host, _, port = rest.rpartition(":")
        if host and port.isascii() and port.isdecimal():
            return rest, None
    raise UsageError("no such workers", expected=_FORMS, got=repr(workers), where="--workers")


def _whole(text: str, name: str, where: str | None = None) -> int:
    try:
        return positive_int(text, name=name)
    except UsageError as error:
        raise UsageError(error.problem, got=error.got, where=where or f"--worker-arg {name}={text}") from None


def _number(args: Mapping[str, str], name: str, default: float) -> float:
    if name not in args:
        return default
    try:
        number = float(args[name])
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(
            f"'{name}' must be a number, from 0", got=f"'{args[name]}'", where=f"--worker-arg {name}={args[name]}"
        )
    return number


def _bytes(text: str) -> int:
    digits = text.strip().upper()
    factor = 1
    for suffix, size in _UNITS.items():
        if digits.endswith(suffix):
            digits, factor = digits.removesuffix(suffix).strip(), size
            break
    try:
        size = float(digits) * factor
    except ValueError:
        size = math.nan
    if not 0 < size < math.inf:
        raise UsageError(
            "'memory' must be a size", expected="as in 16GB", got=f"'{text}'", where=f"--worker-arg memory={text}"
        )
    return round(size)
