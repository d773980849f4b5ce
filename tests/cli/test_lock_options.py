"""`--lock-timeout` and `--break-lock`: what another process that works on the run folder means for this one."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from phraseproof.store.claims import LOCKS_FOLDER
from phraseproof.store.locks import HOLDER_SUFFIX
from phraseproof.store.processes import Process
from support.command_line import Done, run_command
from support.parity_project import write_project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs flock and /proc")

HOLD = """
import sys, time
from pathlib import Path
from phraseproof.store.locks import ProcessLock
assert ProcessLock(Path(sys.argv[1])).try_acquire()
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def _paused_holder(lock: Path) -> Generator[int]:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        os.kill(holder.pid, signal.SIGSTOP)
        try:
            yield holder.pid
        finally:
            holder.kill()


class Project:
    """A small evaluation into one run folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_project(folder, examples=3, wordings=2)
        self.task, self.wordings = folder / "task.yaml", folder / "wordings.yaml"
        self.run, self._capsys = folder / "run", capsys
        self.locks = self.run / LOCKS_FOLDER

    def evaluate(self, *arguments: str) -> Done:
        command = ["evaluate", "-m", "scripted", "-t", str(self.task), "-i", f"mine={self.wordings}"]
        return run_command(self._capsys, *command, "-o", str(self.run), "-q", *arguments)


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Project:
    return Project(tmp_path, capsys)


@pytest.mark.parametrize("name", ["run.lock", "claims.lock"])
def test_a_paused_process_is_named_and_the_wait_ends(project: Project, name: str) -> None:
    assert project.evaluate().code == 0
    before = project.run.joinpath("run.json").read_text()
    for cell in project.run.rglob("*.parquet"):
        cell.unlink()
    with _paused_holder(project.locks / name) as pid:
        done = project.evaluate("--lock-timeout", "0.5")
    assert done.code == 2
    (line,) = [each for each in done.err.splitlines() if each.startswith("error: ")]
    assert line.startswith(f"error: {project.locks / name}: waited 0.5 s for process {pid} on ")
    assert f"which has held {name} since " in line
    assert f"it is paused. kill -CONT {pid} lets it continue" in line
    if name == "run.lock":
        assert project.run.joinpath("run.json").read_text() == before
    assert project.evaluate().code == 0, "the holder is gone, and its lock with it"


def test_a_lock_of_another_machine_is_broken_on_request(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    assert project.evaluate().code == 0
    assert list(project.locks.glob(f"*{HOLDER_SUFFIX}*")) == []
    elsewhere = Process.current()._replace(host="elsewhere", pid=7).entry()
    holder = project.locks / f"run.lock{HOLDER_SUFFIX}"
    holder.write_text(json.dumps({**elsewhere, "is_lock": True, "token": "a1"}))
    done = project.evaluate("--lock-timeout", "0")
    assert done.code == 2
    assert "process 7 on elsewhere" in done.err
    assert "--break-lock" in done.err
    done = project.evaluate("--lock-timeout", "0", "--break-lock")
    assert done.code == 0
    assert "warning: removed the lock run.lock of process 7 on elsewhere" in done.err


@pytest.mark.parametrize("value", ["-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(project: Project, value: str) -> None:
    done = project.evaluate("--lock-timeout", value)
    assert (done.code, done.err) == (
        2,
        f"error: --lock-timeout: not a time (expected seconds, from 0, got {float(value)})\n",
    )
