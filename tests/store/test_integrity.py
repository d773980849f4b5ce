from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from phraseproof.core import Cell, Outcome
from phraseproof.errors import RunError
from phraseproof.store import integrity
from phraseproof.store.checksums import require_checksum
from phraseproof.store.queries import load_run
from phraseproof.store.schema import to_table
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


def test_absent_values_are_allowed(tmp_path: Path) -> None:
    """A text that was not read, and an outcome without options, are outcomes too."""
    unread = replace(GOOD, predicted=None, option_logprobs=(), text="?", score=0.0)
    free = replace(GOOD, predicted=None, target=None, options=(), option_logprobs=(), text="so", score=0.5)
    for number, good in enumerate((unread, free)):
        store = RunStore(tmp_path / str(number), {})
        store.register([CELL], {})
        store.write(CELL, [good], Usage())
        assert load_run(tmp_path / str(number)).outcomes().num_rows == 1


def test_rows_of_another_cell_are_refused(tmp_path: Path) -> None:
    """A file without a checksum whose identity is right and whose rows are not."""
    store = RunStore(tmp_path, {})
    store.register([CELL], {})
    for name, value in (("task", "u"), ("instruction", "mine/two"), ("group", ""), ("fewshot_seed", 1)):
        table = to_table(replace(CELL, **{name: value}), [GOOD], "{}")
        store.write_table(CELL, table)
        with pytest.raises(RunError, match=f"its rows name another {name} than run.json"):
            load_run(tmp_path).outcomes()
        column = pa.nulls(1, table[name].type)
        store.write_table(CELL, table.set_column(table.schema.get_field_index(name), name, column))
        with pytest.raises(RunError, match=f"its rows name another {name} than run.json"):
            load_run(tmp_path).outcomes()


def test_a_file_is_checked_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(tmp_path, {})
    store.register([CELL], {})
    store.write(CELL, [GOOD], Usage())
    store.finish(0)
    checked: list[Path] = []

    def counted(path: Path, checksum: int) -> None:
        checked.append(path)
        require_checksum(path, checksum)

    monkeypatch.setattr(integrity, "require_checksum", counted)
    run = load_run(tmp_path)
    for _ in range(2):  # so new that a change could leave its time as it is
        assert run.select(run.scoring).outcomes().num_rows == 1
    assert len(checked) == 2
    monkeypatch.setattr(integrity, "_SETTLED_S", 0.0)
    for _ in range(2):
        assert run.select(run.scoring).outcomes().num_rows == 1
    assert len(checked) == 3
    path = store.cell_path(CELL)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(0, 0))
    with pytest.raises(RunError, match=r"its checksum is not the one in run\.json"):
        run.select(run.scoring).outcomes()
