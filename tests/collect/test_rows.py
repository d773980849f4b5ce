"""Times as they are stored; records through the store are in test_store.py."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from phraseproof.collect.rows import now, stored_time


def test_times_are_stored_in_utc_and_sort_as_texts() -> None:
    east = datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    assert stored_time(east) == "2026-02-28T23:00:00.000000+00:00"
    assert stored_time(east) < stored_time(east + timedelta(microseconds=1))
    assert now().tzinfo is UTC
    with pytest.raises(ValueError, match="no time zone"):
        stored_time(datetime(2026, 3, 1))  # noqa: DTZ001
