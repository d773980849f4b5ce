"""The memory that a training takes, and the memory that is there, in bytes."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux says how much a container or job may take, versions 2 and 1."""

_UNLIMITED = 2**60


def peak_memory(device: torch.device) -> int | None:
    """The most memory that this process has taken so far; on an accelerator, what torch has reserved there."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory_there(device: torch.device) -> int | None:
    """The memory that this process may take in all: what it has, and what is free; `None` where that is not known."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device)
    fields = _fields(Path("/proc/meminfo")) | _fields(Path("/proc/self/status"))
    if "MemAvailable" not in fields:
        return None
    found = fields["MemAvailable"] + fields.get("VmRSS", 0)
    limits = [
        int(text) for path in map(Path, _LIMITS) if path.is_file() and (text := path.read_text().strip()).isdigit()
    ]
    return min([found, *(limit for limit in limits if limit < _UNLIMITED)])


def _fields(path: Path) -> dict[str, int]:
    """The fields of a file of Linux that are given in kB, in bytes."""
    if not path.is_file():
        return {}
    lines = [line.split() for line in path.read_text().splitlines() if line.endswith(" kB")]
    return {words[0].rstrip(":"): 1024 * int(words[1]) for words in lines}
