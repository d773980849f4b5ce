"""Names processes in files that other processes and machines read, and finds out whether they still run."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import time
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self, cast

_MOST_CHARACTERS_OF_A_COMMAND = 200
_ENDED = ("Z", "X")
"""States of processes that hold no lock: ended, and not yet collected by their parent."""


class Process(NamedTuple):
    """A process that holds something.

    Attributes:
        host: the name of its machine.
        pid: its number there; 0 if it is not known.
        since_s: since when it holds it, in seconds since 1970.
        command: its command line; empty if it is not known.
        system: the start of the machine and the space of process numbers, since machines and containers may share a
            name; empty where the system does not say.
        started: when the process was started, in the system's units, since numbers of processes are used again.
    """

    host: str
    pid: int
    since_s: float
    command: str = ""
    system: str = ""
    started: str = ""

    @classmethod
    def current(cls) -> Self:
        """This process, which holds something from now on."""
        pid = os.getpid()
        command = shlex.join(sys.argv)[:_MOST_CHARACTERS_OF_A_COMMAND]
        return cls(platform.node(), pid, time.time(), command, _system(), _state(pid)[1])

    @classmethod
    def unknown(cls) -> Self:
        """A process of which nothing is known."""
        return cls("an unknown machine", 0, time.time())

    @classmethod
    def of(cls, entry: object) -> Self:
        """A process from its entry; further keys are ignored.

        Raises:
            ValueError: a key is missing, or its value has another type.
        """
        known = cast("dict[str, object]", entry) if isinstance(entry, dict) else {}
        pid, since_s = known.get("pid"), known.get("since_s")
        texts = [
            value for name in ("host", "command", "system", "started") if isinstance(value := known.get(name), str)
        ]
        if len(texts) < 4 or not isinstance(pid, int) or not isinstance(since_s, float):
            raise ValueError("not the entry of a process")
        host, command, system, started = texts
        return cls(host, pid, since_s, command, system, started)

    def entry(self) -> dict[str, object]:
        """The process as JSON data."""
        return self._asdict()

    @property
    def is_here(self) -> bool:
        """Whether this machine can say something about it."""
        return self.pid > 0 and (self.host, self.system) == (platform.node(), _system())

    @property
    def is_gone(self) -> bool:
        """Whether it is known to have ended, even if another process has its number now."""
        if not self.is_here:
            return False
        state, started = _state(self.pid)
        return state in _ENDED or started != self.started or not _exists(self.pid)

    @property
    def is_stopped(self) -> bool:
        """Whether it is paused (Ctrl-Z, SIGSTOP), where that can be seen: on this machine, under Linux."""
        return self.is_here and _state(self.pid)[0] in ("T", "t")

    @property
    def name(self) -> str:
        """`process 12 on host (command)`."""
        if not self.pid:
            return "another process"
        return f"process {self.pid} on {self.host}" + (f" ({self.command})" if self.command else "")

    @property
    def since(self) -> str:
        """The local time since when it holds it, with the date if that is not today's."""
        then, now = time.localtime(self.since_s), time.localtime()
        return time.strftime("%H:%M:%S" if then[:3] == now[:3] else "%Y-%m-%d %H:%M:%S", then)


def _state(pid: int) -> tuple[str, str]:
    """The state of a process (one letter) and when it was started; both empty where the system does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", ""
    # The name before them may hold spaces and brackets: the state is what follows the last bracket, as field 3.
    fields = text.rpartition(")")[2].split()
    return (fields[0], fields[19]) if len(fields) > 19 else ("", "")


def _exists(pid: int) -> bool:
    if sys.platform == "win32":  # there the call would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # of another user
        return True
    return True


@cache
def _system() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
