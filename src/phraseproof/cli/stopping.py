"""Ctrl-C and SIGTERM: one last line that says what was kept, and the exit code that other programs expect."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

import typer

INTERRUPTED = 130
TERMINATED = 143
"""128 plus the signal's number, as in shells."""


@contextmanager
def stoppable() -> Generator[None]:
    """Turn Ctrl-C and SIGTERM within the block into one line on stderr and an exit.

    SIGTERM is raised as an interrupt, so that whatever is being computed can be stored first.
    """
    codes = [INTERRUPTED]

    def terminate(_number: int, _frame: FrameType | None) -> None:
        codes.append(TERMINATED)
        raise KeyboardInterrupt

    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, terminate) if is_main else None
    try:
        yield
    except KeyboardInterrupt as stop:
        typer.echo(str(stop) or "stopped; the same command continues from there", err=True)
        sys.exit(codes[-1])
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)
