"""How an evaluation reports its progress."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Is notified of the progress of an evaluation."""

    def noted(self, message: str) -> None:
        """Receive what is being done now, if that may take a while."""
        ...

    def started(self, *, total: int, done: int) -> None:
        """Receive the number of prompts in the plan, and how many of them were stored before."""
        ...

    def advanced(self, prompts: int) -> None:
        """Receive how many more prompts were scored."""
        ...

    def warned(self, message: str) -> None:
        """Receive a message for the user, on one line."""
        ...


class PassingObserver:
    """An observer that passes everything on. What does more with some of it overrides that."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def noted(self, message: str) -> None:
        """Pass it on."""
        self._observer.noted(message)

    def started(self, *, total: int, done: int) -> None:
        """Pass it on."""
        self._observer.started(total=total, done=done)

    def advanced(self, prompts: int) -> None:
        """Pass it on."""
        self._observer.advanced(prompts)

    def warned(self, message: str) -> None:
        """Pass it on."""
        self._observer.warned(message)


class SilentObserver:
    """An observer that ignores everything."""

    def noted(self, message: str) -> None:
        """Ignore it."""

    def started(self, *, total: int, done: int) -> None:
        """Ignore it."""

    def advanced(self, prompts: int) -> None:
        """Ignore it."""

    def warned(self, message: str) -> None:
        """Ignore it."""
