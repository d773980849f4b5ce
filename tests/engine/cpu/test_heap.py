"""Memory that was freed goes back to the system."""

from __future__ import annotations

import platform
import resource
from pathlib import Path

import numpy as np
import pytest

from phraseproof.engine.cpu import heap
from phraseproof.engine.cpu.heap import trim_heap


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps freed memory in this way")
def test_freed_pieces_between_kept_ones_are_returned() -> None:
    blocks = [np.ones(8_000) for _ in range(3_000)]  # 64 kB each, from the heap
    kept = blocks[::10]
    full = resident_bytes()
    blocks.clear()
    trim_heap()
    assert full - resident_bytes() > 120e6
    assert len(kept) == 300


def test_without_the_function_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_malloc_trim", lambda: None)
    trim_heap()
