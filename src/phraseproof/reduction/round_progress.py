"""Progress of the rounds of a search: what a round adds is counted, and not what earlier rounds have scored."""

from __future__ import annotations

from phraseproof.evaluation.observer import Observer


class RoundProgress:
    """An observer of a round's evaluation, whose cells hold the examples of the earlier rounds as well.

    Args:
        observer: is notified of the round's new prompts only.
        new: how many prompts the round adds, equally many for each of its cells.
    """

    def __init__(self, observer: Observer, new: int) -> None:
        self._observer = observer
        self._new = new
        self._old_left = self._seen = self._reported = 0

    def started(self, *, total: int, done: int) -> None:
        """Receive the number of prompts in the round's cells, and how many of them are in complete cells."""
        self._seen = self._reported = 0
        self._old_left = (total - self._new) * (total - done) // total
        self._observer.started(total=self._new, done=self._new * done // total)

    def advanced(self, prompts: int) -> None:
        """Receive how many more are done: those of earlier rounds come first."""
        self._seen += prompts
        new = max(0, self._seen - self._old_left) - self._reported
        if new:
            self._reported += new
            self._observer.advanced(new)

    def noted(self, message: str) -> None:
        """Pass on what is being done now."""
        self._observer.noted(message)

    def warned(self, message: str) -> None:
        """Pass on a message for the user."""
        self._observer.warned(message)
