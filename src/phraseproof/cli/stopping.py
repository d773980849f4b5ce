"""Signals that stop a command: one last line that says what was kept, and the exit code that other programs expect."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Final

import typer

STOPPED_BY: Final = 128
"""A command that a signal stopped exits with this plus the signal's number, as in shells: 130 after Ctrl-C."""

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name))


@contextmanager
def stoppable() -> Generator[None]:
    """Turn Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 within the block into one line on stderr and an exit.

    They are raised as an interrupt, so that whatever is being computed can be stored first. Signals that the process
    ignores stay ignored, for example SIGHUP under `nohup`.
    """
    number = signal.SIGINT

    def terminate(received: int, _frame: FrameType | None) -> None:
        nonlocal number
        number = signal.Signals(received)
        raise KeyboardInterrupt

    is_main = threading.current_thread() is threading.main_thread()
    taken = [each for each in _SIGNALS if is_main and signal.getsignal(each) is not signal.SIG_IGN]
    before = {each: signal.signal(each, terminate) for each in taken}
    try:
        yield
    except KeyboardInterrupt as stop:
        typer.echo(str(stop) or "stopped; the same command continues from there", err=True)
        sys.exit(STOPPED_BY + number)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
