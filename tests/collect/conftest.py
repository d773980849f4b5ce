"""Databases of tests do not wait for the disk: a test that kills a process needs no more than what was written."""

from __future__ import annotations

import pytest

from phraseproof.collect import database


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "SYNCHRONOUS", "OFF")
