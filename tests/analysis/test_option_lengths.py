"""Lengths of options, read from runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.analysis.option_lengths import option_lengths
from phraseproof.analysis.option_values import load_option_values
from phraseproof.calibration.methods import Needs
from phraseproof.errors import NotEnoughDataError
from phraseproof.store.queries import load_run
from support.calibrated_runs import run
from support.stored_cells import finished_run, make_cell


def test_lengths_are_those_of_the_stored_options(tmp_path: Path) -> None:
    found = run(tmp_path)
    tasks = load_option_values(found)
    (of_bytes,), (of_tokens,) = (option_lengths(found, tasks, needs) for needs in (Needs.BYTES, Needs.TOKENS))
    assert of_bytes.lengths is not None
    assert of_tokens.lengths is not None
    assert of_bytes.lengths.shape == tasks[0].values.shape
    assert of_bytes.lengths[3, 4].tolist() == [len("billing"), len("bug"), len("praise")]
    for row in found.query_rows("SELECT * FROM outcomes"):
        place = tasks[0].wordings.index(row["instruction"]), tasks[0].examples.index(row["example_id"])
        assert of_tokens.lengths[place].tolist() == row["option_tokens"]


def test_numbers_of_tokens_that_were_not_stored_are_one_line(tmp_path: Path) -> None:
    finished_run(tmp_path, make_cell())
    found = load_run(tmp_path)
    with pytest.raises(NotEnoughDataError, match="numbers of tokens are not stored for t under mine/one") as error:
        option_lengths(found, load_option_values(found), Needs.TOKENS)
    assert "\n" not in str(error.value)
