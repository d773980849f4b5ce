from __future__ import annotations

import math
import sys
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from phraseproof.core import Outcome
from phraseproof.store.journal import StoredOutcome, append_journal, journal_path, read_journal, remove_journal
from phraseproof.store.usage import Usage


def row(name: str) -> StoredOutcome:
    outcome = Outcome(name, 1.0, ("a", "\ud800\n"), (-1 / 3, -math.inf), (1, 2), (0.0, 1.0), predicted=0, target=1)
    return StoredOutcome(outcome, Usage(0.1, 0.2, 3, 4))


def test_what_is_read_is_what_was_appended_to_the_last_bit(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "t", "a" * 32)
    append_journal(path, [row("1")])
    append_journal(path, [row("2"), row("3")])
    assert read_journal(path) == {name: row(name) for name in "123"}


def test_a_line_that_a_kill_cut_is_left_out_and_later_ones_are_read(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "t", "a" * 32)
    append_journal(path, [row("1"), row("2")])
    path.write_bytes(path.read_bytes()[:-9])
    append_journal(path, [row("3")])
    assert read_journal(path).keys() == {"1", "3"}


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "t", "a" * 32)
    append_journal(path, [row("1")])
    path.write_bytes(path.read_bytes().replace(b"0.333", b"0.334"))
    assert read_journal(path) == {}


def test_the_last_journal_takes_its_folders_along(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "t", "a" * 32)
    append_journal(path, [row("1")])
    remove_journal(path)
    assert not (tmp_path / "journal").exists()
    assert read_journal(path) == {}


def test_of_two_that_write_and_complete_cells_neither_is_stopped_by_the_other(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The last journal takes the folder along, which the other may be about to make or to use."""
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-6)  # as often as can be, so that each moment of one meets each of the other
    written = dict.fromkeys("ab", 0)

    def write(name: str) -> None:
        path = journal_path(tmp_path, "t", name * 32)
        for _ in range(150):
            append_journal(path, [row("1")])
            written[name] += read_journal(path).keys() == {"1"}
            remove_journal(path)

    threads = [Thread(target=write, args=(name,)) for name in written]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert written == {"a": 150, "b": 150}
