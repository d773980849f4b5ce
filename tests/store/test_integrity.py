from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phraseproof.core import Cell, Outcome
from phraseproof.errors import RunError
from phraseproof.store.queries import load_run
from phraseproof.store.writer import RunStore, Usage

CELL = Cell("a" * 32, "t", "c", "mine/one", "g", 0, 0, 1)
GOOD = Outcome("1", 1.0, ("a", "b"), (-1.0, -2.0), predicted=0, target=0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"score": 7.5},
        {"score": float("nan")},
        {"predicted": 2},
        {"option_logprobs": (3.5, -1.0)},
        {"option_logprobs": (float("nan"), -1.0)},
        {"option_logprobs": (-1.0,)},
    ],
)
def test_values_that_no_evaluation_writes_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    store = RunStore(tmp_path, {})
    store.register([CELL], {})
    store.write(CELL, [GOOD], Usage())
    assert load_run(tmp_path).outcomes().num_rows == 1
    store.write(CELL, [replace(GOOD, **wrong)], Usage())
    with pytest.raises(RunError, match="values that no evaluation writes"):
        load_run(tmp_path).outcomes()


@pytest.mark.parametrize("rows", [[], [GOOD, GOOD]])
def test_another_number_of_rows_is_refused(tmp_path: Path, rows: list[Outcome]) -> None:
    store = RunStore(tmp_path, {})
    store.register([CELL], {})
    store.write(CELL, rows, Usage())
    with pytest.raises(RunError, match=f"it holds {len(rows)} outcomes instead of 1"):
        load_run(tmp_path).outcomes()
