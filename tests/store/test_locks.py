"""Locks between real processes, with flock and without it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from phraseproof.errors import RunError
from phraseproof.store import locks
from phraseproof.store.locks import HOLDER_SUFFIX, LockOptions, ProcessLock, break_locks
from phraseproof.store.processes import Process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs flock and /proc")

HOLD = """
import sys, time
from pathlib import Path
if sys.argv[2] != "0":
    import fcntl
    def refuse(*_):
        raise OSError(int(sys.argv[2]), "no locks here")
    fcntl.flock = refuse
from phraseproof.store.locks import ProcessLock
assert ProcessLock(Path(sys.argv[1])).try_acquire()
print("held", flush=True)
time.sleep(60)
"""
WITHOUT = [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS]


def _refuse(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no locks here")

    monkeypatch.setattr("fcntl.flock", refuse)


@contextmanager
def _held(path: Path, number: int = 0) -> Generator[subprocess.Popen[str]]:
    """Another process that holds the lock, on a file system whose flock fails with this error (0: it does not)."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), str(number)], stdout=subprocess.PIPE, text=True
    ) as it:
        assert it.stdout is not None
        try:
            assert it.stdout.readline() == "held\n"
            yield it
        finally:
            it.kill()


@pytest.mark.parametrize("number", [0, *WITHOUT])
def test_a_lock_is_held_named_waited_for_and_free_when_its_holder_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    if number:
        _refuse(monkeypatch, number)
    path, said = tmp_path / "run.lock", list[str]()
    monkeypatch.setattr(locks, "REPORTED_AFTER_S", 0.1)
    monkeypatch.setattr(locks, "REPORTED_EVERY_S", 0.1)
    with _held(path, number) as holder:
        began = time.monotonic()
        with pytest.raises(RunError) as refused:
            ProcessLock(path).acquire(LockOptions(timeout_s=0.6), said.append)
        assert 0.5 < time.monotonic() - began < 5
        line = str(refused.value)
        assert line.startswith(f"{path}: waited 0.6 s for process {holder.pid} on {Process.current().host} (")
        assert "which has held run.lock since " in line
        assert f"kill {holder.pid} ends it" in line
        assert len(said) >= 2, "said again and again"
        assert said[0].startswith(f"waiting for process {holder.pid} on ")
        os.kill(holder.pid, signal.SIGSTOP)
        with pytest.raises(RunError, match=f"it is paused. kill -CONT {holder.pid} lets it continue"):
            ProcessLock(path).acquire(LockOptions(timeout_s=0.3), said.append)
        break_locks(tmp_path, said.append)
        assert not ProcessLock(path).try_acquire(), "a lock of a process that runs is not broken"
        holder.kill()
        holder.wait()
        lock = ProcessLock(path)
        began = time.monotonic()
        lock.acquire(LockOptions(), said.append)
        assert time.monotonic() - began < 1, "at once"
        lock.release()


@pytest.mark.parametrize("number", [0, errno.ENOLCK])
def test_a_lock_is_taken_by_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    if number:
        _refuse(monkeypatch, number)
    inside, most, done = [0], [0], [0]

    def work() -> None:
        for _ in range(15):
            lock = ProcessLock(tmp_path / "run.lock")
            lock.acquire(LockOptions(timeout_s=30), print)
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.001)
            inside[0] -= 1
            done[0] += 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (most, done) == ([1], [60])
    assert list(tmp_path.glob("*.json*")) == []


def test_of_many_processes_that_see_a_dead_holder_one_takes_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refuse(monkeypatch, errno.ENOLCK)
    for _ in range(20):
        _write(tmp_path, started="1")
        every = [ProcessLock(tmp_path / "run.lock") for _ in range(6)]
        gate, taken = threading.Barrier(len(every)), list[ProcessLock]()

        def take(lock: ProcessLock, gate: threading.Barrier = gate, taken: list[ProcessLock] = taken) -> None:
            gate.wait()
            if lock.try_acquire():
                taken.append(lock)

        threads = [threading.Thread(target=take, args=(lock,)) for lock in every]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert len(taken) == 1
        taken[0].release()


def _write(folder: Path, **changes: Any) -> Path:
    """The file of a holder like this process but for the changes, which is the lock itself."""
    path = folder / f"run.lock{HOLDER_SUFFIX}"
    content = {**Process.current().entry(), "is_lock": True, "token": "a1", **changes}
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("number", [0, errno.ENOLCK])
def test_a_lock_of_another_machine_stays_until_it_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    if number:
        _refuse(monkeypatch, number)
    path, said = _write(tmp_path, host="elsewhere", pid=7), list[str]()
    with pytest.raises(RunError, match=r"process 7 on elsewhere.*has ended, --break-lock removes its lock"):
        ProcessLock(tmp_path / "run.lock").acquire(LockOptions(timeout_s=0.1), said.append)
    break_locks(tmp_path, said.append)
    assert [line.partition(" (")[0] for line in said] == ["removed the lock run.lock of process 7 on elsewhere"]
    assert not path.exists()
    lock = ProcessLock(tmp_path / "run.lock")
    assert lock.try_acquire()
    lock.release()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', "TOKEN"])
def test_a_holders_file_that_is_not_readable_is_a_lock_until_it_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _refuse(monkeypatch, errno.ENOTSUP)
    if text == "TOKEN":  # becomes part of a file's name, so it is a number
        _write(tmp_path, started="1", token="../../x")
    else:
        (tmp_path / f"run.lock{HOLDER_SUFFIX}").write_text(text)
    with pytest.raises(RunError, match=r"another process, which has held run\.lock\. .*--break-lock"):
        ProcessLock(tmp_path / "run.lock").acquire(LockOptions(timeout_s=0.1), print)
    break_locks(tmp_path, print)
    assert ProcessLock(tmp_path / "run.lock").try_acquire()


def test_with_flock_a_kill_while_the_holder_was_named_blocks_nobody(tmp_path: Path) -> None:
    path = tmp_path / f"run.lock{HOLDER_SUFFIX}"
    path.write_text('{"host"')
    assert not ProcessLock(tmp_path / "run.lock").try_acquire(), "its holder may be writing it"
    os.utime(path, (time.time() - 60, time.time() - 60))
    lock = ProcessLock(tmp_path / "run.lock")
    assert lock.try_acquire()
    holder = lock.holder()
    assert holder is not None
    assert holder.pid == os.getpid()
    lock.release()


@pytest.mark.parametrize("number", [0, errno.ENOLCK])
@pytest.mark.parametrize("has_links", [True, False])
def test_the_file_of_a_holder_is_never_seen_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, has_links: bool
) -> None:
    """A kill at the moment when the text is written leaves no file that would count as a lock."""
    if number:
        _refuse(monkeypatch, number)
    if not has_links:
        monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links here")))

    def killed(*_: object, **__: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("phraseproof.store.locks.json.dumps", killed)
        with pytest.raises(KeyboardInterrupt):
            ProcessLock(tmp_path / "run.lock").try_acquire()
    assert not (tmp_path / f"run.lock{HOLDER_SUFFIX}").exists()
    (tmp_path / f"run.lock{HOLDER_SUFFIX}.new-1").touch()  # what a kill leaves
    lock = ProcessLock(tmp_path / "run.lock")
    assert lock.try_acquire()
    lock.release()
    break_locks(tmp_path, print)
    assert not list(tmp_path.glob("*.json*"))


def test_a_holder_whose_lock_was_broken_does_not_give_back_that_of_its_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _refuse(monkeypatch, errno.ENOLCK)
    first, second = ProcessLock(tmp_path / "run.lock"), ProcessLock(tmp_path / "run.lock")
    assert first.try_acquire()
    (tmp_path / f"run.lock{HOLDER_SUFFIX}").unlink()
    assert second.try_acquire()
    first.release()
    assert not ProcessLock(tmp_path / "run.lock").try_acquire()
    second.release()
    assert ProcessLock(tmp_path / "run.lock").try_acquire()


def test_other_errors_of_the_system_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _refuse(monkeypatch, errno.EIO)
    with pytest.raises(RunError, match=r"run\.lock: cannot be written: no locks here"):
        ProcessLock(tmp_path / "run.lock").try_acquire()
