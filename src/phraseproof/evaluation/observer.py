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
