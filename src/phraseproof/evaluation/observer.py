"""How an evaluation reports its progress."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Is notified of the progress of an evaluation."""

    def noted(self, message: str) -> None:
        """What is being done now, where that may take a while."""
        ...

    def started(self, *, total: int, done: int) -> None:
        """`total` prompts are in the plan, `done` of them were stored before."""
        ...

    def advanced(self, prompts: int) -> None:
        """So many more prompts were scored."""
        ...

    def warned(self, message: str) -> None:
        """Something the user should know, on one line."""
        ...


class SilentObserver:
    """An observer that looks away."""

    def noted(self, message: str) -> None:
        """Nothing."""

    def started(self, *, total: int, done: int) -> None:
        """Nothing."""

    def advanced(self, prompts: int) -> None:
        """Nothing."""

    def warned(self, message: str) -> None:
        """Nothing."""
