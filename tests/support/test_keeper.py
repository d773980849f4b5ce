"""The keeper of real servers ends them however the process ends that asked for them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.real_servers import KEEPER

_ASKING = """
import subprocess, sys, time
subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, start_new_session=True)
time.sleep(60)
"""
_SERVER = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".part").write_text(f"{os.getpid()} {child.pid}")
path.with_suffix(".part").rename(path)
time.sleep(60)
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the test finds processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_is_kept_ends_with_the_process_that_asked(number: signal.Signals, tmp_path: Path) -> None:
    server = [sys.executable, "-c", _SERVER, str(tmp_path / "pids")]
    with subprocess.Popen([sys.executable, "-c", _ASKING, *KEEPER, *server]) as asking:
        pids = _read_when_written(tmp_path / "pids")
        assert all(map(_runs, pids))
        asking.send_signal(number)
    _wait_until(lambda: not any(map(_runs, pids)))


def test_the_exit_status_is_the_commands() -> None:
    for code, expected in (("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 15)", 143)):
        with subprocess.Popen([*KEEPER, sys.executable, "-c", code], stdin=subprocess.PIPE) as kept:
            assert kept.wait(30) == expected


def _read_when_written(path: Path) -> list[int]:
    _wait_until(path.exists)
    return [int(each) for each in path.read_text().split()]


def _wait_until(is_reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    """Whether a process exists and is no zombie, which nothing may collect in a container."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
