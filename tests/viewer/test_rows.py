"""Whole outcomes are read from the run's files by place."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import RunError
from phraseproof.viewer.rows import StoredRow, read_rows
from support.viewed_runs import opened, write_options_run


def test_rows_are_those_of_their_places(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", prompts=True))
    wanted = [StoredRow(2, 3, 3), StoredRow(0, 1, 1)]
    found = read_rows(index, wanted)
    assert found[wanted[0]]["prompt"] == "Is 4 odd? w/c"
    assert found[wanted[1]]["prompt"] == "Is 2 odd? w/a"
    assert found[wanted[1]]["option_logprobs"] == [-1.5, -0.25]
    assert read_rows(index, []) == {}
    assert set(read_rows(index, wanted[:1], ["score"])[wanted[0]]) == {"example_id", "score"}


@pytest.mark.parametrize("place", [StoredRow(0, 9, 0), StoredRow(0, 1, 0)])
def test_other_rows_than_were_indexed_are_refused(tmp_path: Path, place: StoredRow) -> None:
    index = opened(write_options_run(tmp_path / "run"))
    with pytest.raises(RunError, match="written again while it was shown"):
        read_rows(index, [place])
