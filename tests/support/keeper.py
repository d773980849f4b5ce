"""`python keeper.py COMMAND...` runs a command until standard input, a pipe from the process that asks, is closed.

The kernel closes the pipe however that process ends, also when it is killed. So the command never outlives it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading

_PATIENCE_SECONDS = 20
"""How long the command has to end when it is asked to."""


def main() -> int:
    """Run the command; its exit status, as a shell gives it."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
    status = process.wait()
    _signal_group(process, signal.SIGKILL)  # what the command started and left behind
    return status if status >= 0 else 128 - status


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 4096):  # not sys.stdin, whose lock this thread would still hold when Python exits
        pass
    _signal_group(process, signal.SIGTERM)
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal_group(process, signal.SIGKILL)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the command and the processes that it started: they are a group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


if __name__ == "__main__":
    sys.exit(main())
