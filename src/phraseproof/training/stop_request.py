"""Signals that stop a training: remembered, so that the present step can end and be saved first."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

STOP_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1") if hasattr(signal, name)
)
"""Ctrl-C; SIGTERM of `kill` and of job systems; SIGHUP of a closed terminal; SIGUSR1, which SLURM sends on request
(`--signal=USR1@120`)."""

SECONDS_TO_REACT = 5.0
"""Python handles a signal when torch returns to it. After the second signal, the process waits this long for that."""


def _be_silent(_: signal.Signals) -> None:
    """Ignore the signal."""


class StopRequest:
    """Within the block, the first signal of `STOP_SIGNALS` is remembered and the second acts at once, as outside.

    If the process is inside a long computation of torch then, it ends with the code 128 plus the signal's number.
    Signals that the process ignores stay ignored, for example SIGHUP under `nohup`. Signals reach the main thread only;
    in other threads this changes nothing.

    Args:
        notify: called at the first signal, in another thread, even while torch computes.
    """

    def __init__(self, notify: Callable[[signal.Signals], None] = _be_silent) -> None:
        self.number: int | None = None
        """The signal that came."""
        self._notify = notify
        handlers = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        self._before = {number: handler for number, handler in handlers.items() if handler is not signal.SIG_IGN}
        self._is_active = False
        self._wakeup: socket.socket | None = None
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._is_active = True
            received, self._wakeup = socket.socketpair()
            self._wakeup.setblocking(False)
            # Python writes a signal's number there at once; its handlers run only when torch returns to Python.
            self._wakeup_before = signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
            threading.Thread(target=self._watch, args=(received,), daemon=True).start()
            for number in self._before:
                signal.signal(number, self._remember)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._restore()

    def deliver(self, message: str) -> None:
        """Let the signal that came act as it would have without this block.

        Raises:
            KeyboardInterrupt: with `message`, where the signal's handler raises one, as Python's own for Ctrl-C does.
        """
        number = self.number
        if number is None:
            return
        self._restore()
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(message) from None

    def _remember(self, number: int, _frame: FrameType | None) -> None:
        is_second = self.number is not None
        self.number = number
        if is_second:
            self.deliver("stopped within a step; the same command resumes from the last checkpoint")

    def _watch(self, received: socket.socket) -> None:
        """Read the numbers of signals until the block ends."""
        seen = 0
        with received:
            while numbers := received.recv(64):
                for number in numbers:
                    if number not in self._before:
                        continue
                    seen += 1
                    if seen == 1:
                        with contextlib.suppress(OSError):  # the terminal may be gone
                            self._notify(signal.Signals(number))
                    elif seen == 2:
                        time.sleep(SECONDS_TO_REACT)
                        if self._is_active:
                            os._exit(128 + number)

    def _restore(self) -> None:
        if self._is_active:
            self._is_active = False
            signal.set_wakeup_fd(self._wakeup_before)
            if self._wakeup is not None:
                self._wakeup.close()
            for number, handler in self._before.items():
                # `None` is a handler that was not installed from Python, and cannot be installed again.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
