"""Names the hardware that computes."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path


def hardware_of(devices: Sequence[str]) -> str:
    """The accelerators among some devices, and the processor: `1 x NVIDIA H200; Intel Xeon, 16 cores`.

    Args:
        devices: as torch names them. A GPU is named only if torch is loaded.
    """
    names = Counter(_accelerator(device) for device in dict.fromkeys(devices) if not device.startswith("cpu"))
    found = [f"{count} x {name}" for name, count in names.items()]
    return "; ".join([*found, f"{processor_name()}, {_cores()} cores"])


@cache
def processor_name() -> str:
    """The name of the processor as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.is_file() and (found := re.search(r"^model name\s*:\s*(.+)$", info.read_text("utf-8"), re.MULTILINE)):
        return " ".join(found[1].split())
    return platform.processor() or platform.machine() or "unknown processor"


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _accelerator(device: str) -> str:
    torch = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name(device))
    return device
