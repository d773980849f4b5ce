"""Memory of this process and of this machine, against torch's own allocation."""

from __future__ import annotations

import sys

import pytest
import torch

from phraseproof.training.memory import memory_there, peak_memory

CPU = torch.device("cpu")


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux says")
def test_the_peak_grows_with_what_is_allocated() -> None:
    there = memory_there(CPU)
    assert there is not None
    before = peak_memory(CPU)
    assert before is not None
    assert 2**20 < before < there
    # More than the peak so far, whatever earlier tests took.
    held = torch.ones(before + 50 * 2**20, dtype=torch.uint8)
    after = peak_memory(CPU)
    assert after is not None
    assert after > before + 40 * 2**20
    assert int(held[-1]) == 1
