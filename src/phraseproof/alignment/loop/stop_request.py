"""Ctrl-C and SIGTERM during a training: remembered, so that the present step can end and be saved first."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Within the block, the first signal is remembered and the second acts at once, as outside.

    Signals reach the main thread only; in other threads this changes nothing.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        """The signal that came."""
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        self._is_active = False

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._is_active = True
            for number in _SIGNALS:
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
            self.deliver("stopped within a step")

    def _restore(self) -> None:
        if self._is_active:
            self._is_active = False
            for number, handler in self._before.items():
                # `None` is a handler that was not installed from Python, and cannot be installed again.
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
