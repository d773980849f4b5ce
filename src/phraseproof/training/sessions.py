"""The sessions of a training: each process that trained into the folder records its time, hardware and energy."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from phraseproof.energy.meter import SessionMeter
from phraseproof.energy.session import SESSIONS, Workload
from phraseproof.store.training_record import read_record

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.training.work import TrainingPlan


class TrainingSessions:
    """Measures this session, and knows the earlier ones of the folder. Only the main process has one.

    Args:
        out: the training's folder.
        plan: the training.
        accelerator: the processes and the precision.
        device: of the weights, as torch names it.
        warn: receives messages for the user.
    """

    def __init__(
        self, out: Path, plan: TrainingPlan, accelerator: Accelerator, device: str, warn: Callable[[str], None]
    ) -> None:
        self._earlier: Mapping[str, object] = (read_record(out) or {}).get(SESSIONS) or {}
        self._plan = plan
        self._precision = accelerator.mixed_precision
        kind, processes = device.partition(":")[0], accelerator.num_processes
        self._devices = (device,)
        if processes > 1 and kind != "cpu":  # launchers set the number of those on this machine
            here = int(os.environ.get("LOCAL_WORLD_SIZE", str(processes)))
            self._devices = tuple(f"{kind}:{index}" for index in range(here))
        # Processes that a launcher started are no children of this one.
        self._meter = SessionMeter(self._devices, warn, "machine" if processes > 1 else "process")

    def section(self, *, stop: bool = False) -> dict[str, object]:
        """All sessions as JSON data, this one as it is now.

        Args:
            stop: end the measurement.
        """
        return {**self._earlier, self._meter.name: self._meter.read(self._workload, stop=stop).as_record()}

    def _workload(self) -> Workload:
        base = cast("Mapping[str, Any]", self._plan.record["base_model"])
        mixed = "" if self._precision == "no" else f", {self._precision} mixed"
        return Workload(self._devices, f"{base.get('dtype') or ''}{mixed}", self._plan.batch)
