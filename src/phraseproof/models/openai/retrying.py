"""Which failures of a request may pass, and how long to wait before it is sent again."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 60.0
"""The longest wait that is not requested by the server."""

LONGEST_REQUESTED_WAIT_S = 600.0
"""A server that wants a longer pause stops the run, which the same command continues."""


class TransientError(Exception):
    """A failure that may disappear when the request is repeated.

    Attributes:
        is_busy: the server sent the request back because it has too many; this says nothing about the request.
        is_lost: the request was sent and not answered, or not in full: the server may have computed it.
        is_answer: the server answered that it failed; it may answer another kind of request.
        wait_s: the pause that the server asks for.
    """

    def __init__(
        self,
        problem: str,
        *,
        is_busy: bool = False,
        is_lost: bool = False,
        is_answer: bool = False,
        wait_s: float = 0.0,
    ) -> None:
        super().__init__(problem)
        self.is_busy = is_busy
        self.is_lost = is_lost
        self.is_answer = is_answer
        self.wait_s = wait_s


def wait_s(
    attempt: int, first_wait_s: float, requested_s: float, *, draw: Callable[[], float] = random.random
) -> float:
    """The wait before the next attempt: a uniform share of a time that doubles, after the pause that was asked for.

    Args:
        attempt: the number of attempts so far.
        first_wait_s: the longest wait after the first attempt.
        requested_s: the pause that the server asks for.
        draw: a number from 0 to 1. A full draw ("full jitter") keeps requests that failed together from returning
            together.
    """
    longest = min(LONGEST_WAIT_S, first_wait_s * 2.0 ** min(attempt - 1, 30))
    return requested_s + longest * draw()


def retry_after_s(headers: Mapping[str, str]) -> float:
    """The pause of a `Retry-After` header in seconds: a number of seconds, or a date; zero where there is none.

    A date is compared with the server's own clock, if the answer has its `Date`.
    """
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        until, sent = _date(text), _date(headers.get("date", ""))
        seconds = (until - (sent or datetime.now(UTC))).total_seconds() if until else 0.0
    return max(0.0, seconds) if seconds == seconds else 0.0  # noqa: PLR0124 (not a number)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
