"""What a run tells of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from phraseproof.evaluation.record import peak_rss_bytes

MEBIBYTE = 2**20


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="this system does not tell a process's own peak")
def test_the_peak_is_the_processs_own_not_its_parents() -> None:
    code = "from phraseproof.evaluation.record import peak_rss_bytes; print(peak_rss_bytes())"

    def peak_of_a_child() -> int:
        return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)

    large = b"x" * (400 * MEBIBYTE)
    while_large = peak_of_a_child()
    assert len(large) == 400 * MEBIBYTE
    assert peak_rss_bytes() > 400 * MEBIBYTE
    assert 10 * MEBIBYTE < while_large < 300 * MEBIBYTE
