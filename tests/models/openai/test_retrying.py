"""Waits between repetitions, and the pause that a server asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from phraseproof.models.openai.retrying import LONGEST_WAIT_S, retry_after_s, wait_s


@pytest.mark.parametrize(
    ("attempt", "longest"), [(1, 1.5), (2, 3.0), (3, 6.0), (6, 48.0), (7, LONGEST_WAIT_S), (10_000, LONGEST_WAIT_S)]
)
def test_a_wait_is_a_drawn_share_of_a_time_that_doubles(attempt: int, longest: float) -> None:
    assert wait_s(attempt, 1.5, 0.0, draw=lambda: 0.0) == 0.0
    assert wait_s(attempt, 1.5, 0.0, draw=lambda: 1.0) == longest
    assert wait_s(attempt, 1.5, 7.0, draw=lambda: 0.5) == 7.0 + longest / 2


@pytest.mark.parametrize(
    ("text", "seconds"), [("2.5", 2.5), (" 3 ", 3.0), ("-4", 0.0), ("nan", 0.0), ("", 0.0), ("soon", 0.0)]
)
def test_a_pause_in_seconds(text: str, seconds: float) -> None:
    assert retry_after_s({"retry-after": text}) == seconds


def test_a_pause_until_a_date_follows_the_servers_clock() -> None:
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after_s(headers) == 30.0
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert 85 < retry_after_s({"retry-after": later}) <= 90
    assert retry_after_s({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}) == 0.0
