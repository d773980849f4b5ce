"""Copies of runs in object storage: fixed while they are read, and bounded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.store.queries import load_run
from phraseproof.store.remote import read_copies
from phraseproof.store.remote.mirror import fetch_run
from phraseproof.store.remote.working_copy import working_copy
from phraseproof.store.urls import name_of
from support.growing_run import EXAMPLES, Model, evaluate, rows_of
from support.object_stores import URL, FragileMemory, revive

OTHER = "memory://bucket/runs/second"


@pytest.fixture(autouse=True)
def _process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(read_copies, "_held", {})
    yield
    end_process()


def end_process() -> None:
    """What the system does with the locks of a process that ends."""
    for held in read_copies._held.values():
        for _, lock in held:
            lock.release()
    read_copies._held.clear()


def store_run(wordings: int, url: str = URL) -> None:
    with working_copy(url, print) as copy:
        evaluate(copy.folder, Model(), wordings)


def fetched(url: str = URL) -> Path:
    folder = fetch_run(url)
    assert folder is not None
    return folder


def test_a_run_that_is_read_stays_as_it_was_when_another_reader_gets_a_newer_state() -> None:
    store_run(1)
    before = load_run(URL)
    (before.path / "estimates.json").write_text("{}")
    store_run(2)
    revive()
    after = load_run(URL)
    assert FragileMemory.calls.count("get_file") == 1, "what is there is not fetched again"
    assert after.path != before.path
    assert (before.name, after.name) == (URL, URL)
    assert (len(rows_of(before)), len(rows_of(after))) == (EXAMPLES, 2 * EXAMPLES)
    assert (after.path / "estimates.json").exists(), "what readers keep there"
    assert fetched() == after.path, "a copy of the same state is used again"


def test_a_copy_that_nobody_reads_is_brought_up_to_date() -> None:
    store_run(1)
    first = fetched()
    end_process()
    store_run(2)
    assert fetched() == first
    assert len(rows_of(load_run(URL))) == 2 * EXAMPLES


def test_older_states_are_removed_when_nobody_reads_them() -> None:
    places: list[Path] = []
    for wordings in (1, 2, 3, 4):
        store_run(wordings)
        places.append(fetched())
    assert len(set(places)) == 3, "the last state takes the place of the first, which the process gave back"
    end_process()
    last = fetched()
    assert [path for path in set(places) if path.exists()] == [last]


def test_copies_that_were_not_read_for_longest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    store_run(1)
    store_run(2, OTHER)
    first = fetched()
    end_process()
    monkeypatch.setenv(read_copies.LIMIT, "0")
    assert name_of(second := fetched(OTHER)) == OTHER
    assert not first.exists()
    assert len(rows_of(load_run(OTHER))) == 2 * EXAMPLES, "what is read stays, whatever the limit is"
    assert len(rows_of(load_run(URL))) == EXAMPLES, "removed copies are fetched again"
    assert second.exists(), "it is read"
    monkeypatch.delenv(read_copies.LIMIT)
    assert fetched() == first


@pytest.mark.parametrize("limit", ["many", "-1", "nan"])
def test_a_limit_that_is_no_size_is_refused(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store_run(1)
    monkeypatch.setenv(read_copies.LIMIT, limit)
    with pytest.raises(UsageError, match=f"PHRASEPROOF_CACHE_GB: not a size.*{limit}"):
        load_run(URL)
