"""Locks between processes that work on one folder: taken, waited for, and named.

Where the file system has flock, the system releases a lock when its holder dies. Elsewhere a file that names the holder
is the lock: it counts until the holder removes it, or is known to have ended. Whether a process of another machine has
ended is not known, so its file stays until a user says so (`break_locks`).
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol, cast

from phraseproof.errors import RunError
from phraseproof.files import read_json
from phraseproof.store.processes import Process

HOLDER_SUFFIX = ".holder.json"

_NO_FLOCK = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})

_LONGEST_WRITE_S = 5.0
"""Where hard links are missing, a holder's file is incomplete for some microseconds. Older ones were left by a kill."""

_FIRST_PAUSE_S = 0.02
LONGEST_PAUSE_S = 0.5
REPORTED_AFTER_S = 10.0
REPORTED_EVERY_S = 120.0

Say = Callable[[str], None]
"""Receives a warning for the user."""


class LockOptions(NamedTuple):
    """How a process behaves towards others that work on the same folder.

    Attributes:
        timeout_s: the longest wait for another process that makes no progress; `None`: for ever.
        breaks: remove the locks of processes that cannot be asked whether they still run.
    """

    timeout_s: float | None = None
    breaks: bool = False


PATIENT: Final = LockOptions()
"""Wait for ever."""


class Blocker(NamedTuple):
    """What is waited for: a process, and what it does as the rest of a sentence (`has held run.lock`)."""

    process: Process
    does: str

    def __str__(self) -> str:
        paused = "; it is paused" if self.process.is_stopped else ""
        since = f" since {self.process.since}" if self.process.pid else ""
        return f"{self.process.name}, which {self.does}{since}{paused}"

    @property
    def advice(self) -> str:
        """What ends the wait."""
        pid = self.process.pid
        if self.process.is_stopped:
            return f"kill -CONT {pid} lets it continue, and kill -KILL {pid} ends it"
        if self.process.is_here:
            return f"kill {pid} ends it"
        return "If that process has ended, --break-lock removes its lock"


class Wait:
    """One wait for other processes: pauses, says for whom again and again, and ends.

    Args:
        options: how long.
        say: receives what is waited for.
        where: the file or folder, for the error.
        longest_pause_s: the longest pause between two trials.
    """

    def __init__(
        self, options: LockOptions, say: Say, where: Path, *, longest_pause_s: float = LONGEST_PAUSE_S
    ) -> None:
        self._options, self._say, self._where, self._longest_pause_s = options, say, where, longest_pause_s
        self.restart()

    def restart(self) -> None:
        """Begin again, because another process made progress."""
        self._began_s, self._pause_s, self._report_at_s = time.monotonic(), _FIRST_PAUSE_S, REPORTED_AFTER_S

    def pause(self, blockers: Callable[[], Sequence[Blocker]]) -> None:
        """Wait a moment.

        Raises:
            RunError: the time is over; names the process that was waited for, and what to do.
        """
        waited_s, timeout_s = time.monotonic() - self._began_s, self._options.timeout_s
        if timeout_s is not None and waited_s >= timeout_s:
            raise self._timed_out(timeout_s, blockers())
        if waited_s >= self._report_at_s:
            self._report_at_s = waited_s + REPORTED_EVERY_S
            for each in blockers():
                self._say(f"waiting for {each}. {each.advice}")
        time.sleep(self._pause_s if timeout_s is None else max(0.0, min(self._pause_s, timeout_s - waited_s)))
        self._pause_s = min(self._longest_pause_s, 2 * self._pause_s)

    def _timed_out(self, timeout_s: float, blockers: Sequence[Blocker]) -> RunError:
        whom = str(blockers[0]) if blockers else "another process"
        others = f", and {len(blockers) - 1} more" if len(blockers) > 1 else ""
        advice = f"{blockers[0].advice}; " if blockers else ""
        return RunError(
            f"waited {timeout_s:g} s for {whom}{others}",
            where=str(self._where),
            hint=f"{advice}a longer --lock-timeout waits longer",
        )


class _SystemLock(Protocol):
    def release(self) -> None: ...


class ProcessLock:
    """A lock that one process holds.

    Args:
        path: the lock file.

    Attributes:
        path: the lock file.
        holder_path: the file that names the holder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.holder_path = path.with_name(path.name + HOLDER_SUFFIX)
        self._token = f"{secrets.randbits(64):x}"
        self._lock: _SystemLock | None = None

    def acquire(self, options: LockOptions, say: Say) -> None:
        """Take the lock, after a wait if another process holds it.

        Raises:
            RunError: the wait was too long, or the lock file cannot be written.
        """
        wait = Wait(options, say, self.path)
        while not self.try_acquire():
            wait.pause(lambda: [Blocker(self.holder() or Process.unknown(), f"has held {self.path.name}")])

    def try_acquire(self) -> bool:
        """Take the lock if no other process holds it.

        Raises:
            RunError: the lock file cannot be written.
        """
        try:
            return self._try_acquire()
        except OSError as error:
            raise RunError(f"cannot be written: {error.strerror or error}", where=str(self.path)) from None

    def release(self, *, remove: bool = False) -> None:
        """Give the lock back.

        Args:
            remove: remove the lock file, which nothing will use again.
        """
        self._remove_holder(self._token)
        if remove:  # before the release: no process locks a file that does not exist
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def holder(self) -> Process | None:
        """The process that holds the lock; `None` if none does or it is not known."""
        found = self._read_holder()
        return None if found is None or found.process.is_gone else found.process

    def _try_acquire(self) -> bool:
        try:
            self._lock = _try_system_lock(self.path)
        except OSError as error:
            if error.errno not in _NO_FLOCK:
                raise
            return self._try_file()
        if self._lock is None:
            return False
        found = self._read_holder()
        # A file that is the lock is of a machine without flock.
        if found is not None and found.is_lock and not (found.process.is_gone or self._is_left_half_written(found)):
            self._lock.release()
            self._lock = None
            return False
        try:
            with suppress(OSError):  # only names the holder
                self._new_holder_file(is_lock=False).replace(self.holder_path)
        except BaseException:  # Ctrl-C
            self._lock.release()
            self._lock = None
            raise
        return True

    def _try_file(self) -> bool:
        """Take the lock by creating the holder's file."""
        new = self._new_holder_file(is_lock=True)
        try:
            if _publish_new(new, self.holder_path):
                return True
            found = self._read_holder()
            if found is None or not found.process.is_gone:
                return False
            self._remove_dead(found.token)
            return _publish_new(new, self.holder_path)
        finally:
            new.unlink(missing_ok=True)

    def _new_holder_file(self, *, is_lock: bool) -> Path:
        """The holder's file under another name. A kill while it is written leaves no half of it under its own."""
        path = self.holder_path.with_name(f"{self.holder_path.name}.new-{self._token}")
        path.write_text(
            json.dumps({**Process.current().entry(), "is_lock": is_lock, "token": self._token}), encoding="utf-8"
        )
        return path

    def _is_left_half_written(self, found: _Holder) -> bool:
        """Whether a holder's file has been incomplete for longer than writing it takes."""
        if found.token:
            return False
        with suppress(FileNotFoundError):
            return time.time() - self.holder_path.stat().st_mtime > _LONGEST_WRITE_S
        return False

    def _read_holder(self) -> _Holder | None:
        return _read_holder(self.holder_path)

    def _remove_dead(self, token: str) -> None:
        """Remove the file of a holder that has ended.

        Of several processes that saw it, one makes the file of this token and may remove it, so that none removes the
        file of a process that took the lock meanwhile.
        """
        guard = self.holder_path.with_name(f"{self.holder_path.name}.{token}")
        try:
            guard.touch(exist_ok=False)
        except FileExistsError:
            return
        try:
            self._remove_holder(token)
        finally:
            guard.unlink(missing_ok=True)

    def _remove_holder(self, token: str) -> None:
        """Remove the holder's file if it is the one with this token."""
        found = self._read_holder()
        if found is not None and found.token == token:
            with suppress(OSError):
                self.holder_path.unlink(missing_ok=True)


def _publish_new(source: Path, target: Path) -> bool:
    """Give a file another name that must be new, at once and in one step; whether it was new."""
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError:  # a file system without hard links
        try:
            with target.open("x", encoding="utf-8") as stream:
                stream.write(source.read_text(encoding="utf-8"))
        except FileExistsError:
            return False
    return True


def break_locks(folder: Path, say: Say) -> None:
    """Remove the locks whose holder cannot be asked whether it still runs: of another machine, or unreadable.

    Args:
        folder: the folder of lock files.
        say: receives what was removed.
    """
    for path in sorted(folder.glob(f"*{HOLDER_SUFFIX}")):
        found = _read_holder(path)
        if found is None or (found.process.is_here and not found.process.is_gone):
            continue
        with suppress(OSError):
            path.unlink(missing_ok=True)
            say(f"removed the lock {path.name.removesuffix(HOLDER_SUFFIX)} of {found.process.name}")
    for path in folder.glob(f"*{HOLDER_SUFFIX}.*"):  # of a process that died while it removed a dead holder's file
        with suppress(OSError):
            path.unlink(missing_ok=True)


class _Holder(NamedTuple):
    """What a holder's file says.

    Attributes:
        is_lock: the file is the lock, because the file system has no other.
        token: the file's own; empty if the file is not readable.
    """

    process: Process
    is_lock: bool
    token: str


def _read_holder(path: Path) -> _Holder | None:
    """What the file says; an unknown process if it is half written; `None` without a file."""
    try:
        content = cast("dict[str, object]", read_json(path))
        return _Holder(Process.of(content), content["is_lock"] is True, f"{int(str(content['token']), 16):x}")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return _Holder(Process.unknown(), is_lock=True, token="")


if sys.platform == "win32":
    from filelock import FileLock, Timeout

    def _try_system_lock(path: Path) -> _SystemLock | None:
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        return lock

else:
    import fcntl

    class _Flock(NamedTuple):
        descriptor: int

        def release(self) -> None:
            os.close(self.descriptor)

    def _try_system_lock(path: Path) -> _SystemLock | None:
        """Take flock's lock; `None` if another process holds it. Raises the system's error if there is no flock."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_file(descriptor, path):
                return _Flock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _HELD:
                return None
            raise
        os.close(descriptor)  # its holder removed the file between the two calls: the next trial makes a new one
        return None

    def _is_file(descriptor: int, path: Path) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), path.stat())
        except FileNotFoundError:
            return False
