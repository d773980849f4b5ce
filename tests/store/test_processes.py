"""Processes that hold something: which ones still run, as the system itself says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phraseproof.store.processes import Process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def _other(pid: int, started: str) -> Process:
    return Process.current()._replace(pid=pid, started=started)


def test_this_process_runs() -> None:
    me = Process.current()
    assert me.pid == os.getpid()
    assert me.is_here
    assert not me.is_gone
    assert not me.is_stopped
    assert Process.of({**me.entry(), "further": 1}) == me


def test_a_number_that_another_process_has_now_is_not_the_same_process() -> None:
    assert Process.current()._replace(started="1").is_gone


def test_ended_paused_and_running_processes_are_told_from_one_another() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as child:
        started = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
        process = _other(child.pid, started)
        assert (process.is_gone, process.is_stopped) == (False, False)
        child.send_signal(signal.SIGSTOP)
        _wait_until(lambda: process.is_stopped)
        assert not process.is_gone, "a paused process still holds what it holds"
        child.kill()
        _wait_until(lambda: process.is_gone)
        assert child.returncode is None, "it is a zombie: ended, and not collected by its parent"
    assert process.is_gone


def test_nothing_is_known_about_another_machine_or_container() -> None:
    for elsewhere in (
        Process.current()._replace(host="elsewhere", pid=2**22 + 1),
        Process.current()._replace(system="another start of the machine", pid=2**22 + 1),
    ):
        assert not elsewhere.is_here
        assert not elsewhere.is_gone


@pytest.mark.parametrize("change", [{"pid": "1"}, {"host": None}, {"since_s": "now"}])
def test_entries_of_other_shapes_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not the entry of a process"):
        Process.of({**Process.current().entry(), **change})


def test_a_time_of_another_day_has_its_date() -> None:
    me = Process.current()
    assert len(me.since) == len("12:00:00")
    assert me._replace(since_s=0.0).since.startswith(("1970-01-01", "1969-12-31"))


def _wait_until(holds: object) -> None:
    deadline = time.monotonic() + 20
    assert callable(holds)
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
