"""Outcomes in a temporary file come back as they were, in the order of their cell."""

from __future__ import annotations

import math
from dataclasses import replace
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Outcome
from phraseproof.errors import FileError
from phraseproof.logs.outcome_spool import MappedOutcomes, OutcomeSpool

FULL = Outcome(
    "é\n1",
    0.5,
    ("a", "b"),
    (-0.25, -math.inf),
    (1, 2),
    (1.0, 0.0),
    (-0.2, -0.1),
    predicted=None,
    target=1,
    is_open=True,
    text="\ud83d",
    reference="r",
    other_references=("s",),
    is_cut=False,
    statistics=(1.5,),
    prompt_tokens=3,
    prompt="?",
)


@pytest.mark.parametrize("most", [1, 3, 100])
def test_cells_in_any_order_keep_their_own(most: int) -> None:
    spool = OutcomeSpool(most)
    cells = [spool.cell(), spool.cell(), spool.cell()]
    for number in range(20):
        cells[number % 2].append(replace(FULL, example_id=str(number)))
    for _ in range(2):  # they can be read again
        assert [each.example_id for each in cells[1]] == [str(number) for number in range(1, 20, 2)]
        assert list(cells[0])[3] == replace(FULL, example_id="6")
    assert [len(cell) for cell in cells] == [10, 10, 0]
    assert not cells[2]
    assert replace(FULL, example_id="7") in cells[1]
    assert replace(FULL, example_id="7") not in cells[0]


def test_changes_are_made_when_they_are_read() -> None:
    cell = OutcomeSpool().cell([FULL, replace(FULL, example_id="2")])
    changed = MappedOutcomes(cell, lambda outcome: replace(outcome, score=1.0))
    assert [each.score for each in changed] == [1.0, 1.0]
    assert len(changed) == 2
    assert replace(FULL, score=1.0) in changed
    assert FULL not in changed


def test_writes_that_take_a_part_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Slow(FileIO):
        def write(self, block: Any) -> int:
            return super().write(bytes(block[:7]))

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Slow(tmp_path / "spool", "w+"))
    cell = OutcomeSpool(2).cell(replace(FULL, example_id=str(number)) for number in range(5))
    assert [each.example_id for each in cell] == ["0", "1", "2", "3", "4"]


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, *, buffering: int) -> None:
            assert buffering == 0  # what a buffer holds would fail later, where nobody expects it

        def seek(self, *_: int) -> int:
            return 0

        def close(self) -> None: ...

        def write(self, _: bytes) -> Any:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    with pytest.raises(FileError, match=r"temporary file: No space left on device.*TMPDIR names another folder"):
        OutcomeSpool(1).cell([FULL])
