"""Measures one session: time, and energy where it is tracked."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from phraseproof.energy.codecarbon_tracker import CodecarbonTracker, Scope, reason_against
from phraseproof.energy.hardware import hardware_of
from phraseproof.energy.session import Session, Workload

SERVED = "the model is behind a server"


class SessionMeter:
    """Measures from its creation on.

    Args:
        devices: of the work, as torch names them; empty for a model behind a server, whose energy cannot be tracked.
        warn: receives, at a reading, why CO2 is not recorded although the user said where the electricity comes from.
        scope: whose load of the processor counts where energy is estimated: this process's and its children's, or all.
        untracked: why the energy is not to be tracked; empty where it is.

    Attributes:
        name: of the session in its section, different for every session of a folder.
    """

    def __init__(
        self,
        devices: Sequence[str],
        warn: Callable[[str], None],
        scope: Scope = "process",
        *,
        untracked: str = "",
    ) -> None:
        self.name = f"{datetime.now(tz=UTC).isoformat(timespec='milliseconds')}, process {os.getpid()}"
        self._warn: Callable[[str], None] | None = warn
        self._began, self._cpu_before = time.perf_counter(), _cpu_seconds()
        self._reason = untracked or (SERVED if not devices else reason_against())
        self._tracker = CodecarbonTracker(devices, scope) if self._reason is None else None

    def read(self, workload: Callable[[], Workload], *, stop: bool = False) -> Session:
        """The session so far.

        Args:
            workload: what computes; called here, since a model may be loaded only now.
            stop: end the measurement.
        """
        wall, cpu = time.perf_counter() - self._began, _cpu_seconds() - self._cpu_before
        energy = None if self._tracker is None else self._tracker.read(stop=stop)
        reason = self._reason or ("" if self._tracker is None else self._tracker.problem)
        if energy is not None and energy.no_co2 and self._warn is not None:
            self._warn(f"CO2 is not recorded: {energy.no_co2}")
            self._warn = None
        found = workload()
        return Session(
            hardware=hardware_of(found.devices) if found.devices else "",
            precision=found.precision,
            batch=found.batch,
            wall_s=wall,
            cpu_s=cpu,
            energy=energy,
            no_energy="" if energy is not None else reason,
        )


def _cpu_seconds() -> float:
    """The processor time of this process and of its children that ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system
