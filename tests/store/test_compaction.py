"""Compaction: the same run in fewer files, whatever ends the process that does it."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from phraseproof.core import Outcome
from phraseproof.errors import RunError
from phraseproof.store import compaction
from phraseproof.store.queries import load_run
from phraseproof.store.run_file import read_run_file
from phraseproof.store.vectors import StoredVectors, vector_table
from phraseproof.store.writer import RunStore, Usage
from support.packed_cells import (
    content_of,
    different_cells,
    different_run,
    in_a_fork,
    kill_at,
    own_files,
    packs,
    write_cell,
)
from support.run_files import edit_run_file
from support.stored_cells import SETTINGS, finished_run, make_cell

has_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="copies the process")


def test_the_same_run_in_one_file(tmp_path: Path) -> None:
    cells = [*different_cells(5), make_cell("f" * 32, instruction="mine/5", group="unobserved")]
    store = different_run(tmp_path, cells)
    before, usage = content_of(tmp_path), load_run(tmp_path).content["usage"]
    checksums = [load_run(tmp_path).checksum(cell) for cell in cells]
    files = [pq.read_table(store.cell_path(cell)) for cell in cells]
    assert store.compact() == (6, 1)
    assert (own_files(tmp_path), len(packs(tmp_path))) == (0, 1)
    assert content_of(tmp_path) == before
    run = load_run(tmp_path)
    assert [run.checksum(cell) for cell in cells] == checksums
    assert [table.to_pylist() for _, table in run.read_cells(files[0].column_names)] == [f.to_pylist() for f in files]
    again = RunStore(tmp_path, SETTINGS)
    assert again.missing(cells) == ([], [])
    again.finish(0)
    assert load_run(tmp_path).content["usage"] == usage
    assert again.compact() == (0, 0)


def test_a_file_without_a_checksum_is_checked_before_it_is_packed(tmp_path: Path) -> None:
    """A process was killed before it wrote the checksums; one file is of another cell, one has impossible values."""
    cells = different_cells(5)
    store = different_run(tmp_path, cells)
    edit_run_file(tmp_path, lambda content: content.pop("checksums"))
    store.cell_path(cells[0]).write_bytes(store.cell_path(cells[1]).read_bytes())
    other = RunStore(tmp_path, SETTINGS)
    other.write(cells[2], [Outcome("1", 7.0), Outcome("2", 0.0)], Usage())
    assert RunStore(tmp_path, SETTINGS).compact() == (3, 1)
    assert set(tmp_path.glob("cells/t/observed/*")) == {store.cell_path(each) for each in (cells[0], cells[2])}
    lacking, errors = RunStore(tmp_path, SETTINGS).missing(cells)
    assert (lacking, len(errors)) == ([cells[0]], 1)
    with pytest.raises(RunError, match="damaged"):
        content_of(tmp_path)


def test_a_damaged_file_stays(tmp_path: Path) -> None:
    cells = different_cells(3)
    store = different_run(tmp_path, cells)
    path = store.cell_path(cells[1])
    path.write_bytes(path.read_bytes()[:-9])
    assert RunStore(tmp_path, SETTINGS).compact() == (2, 1)
    assert path.exists()
    with pytest.raises(RunError, match="its checksum is not the one"):
        content_of(tmp_path)
    assert RunStore(tmp_path, SETTINGS).missing(cells)[0] == [cells[1]]


def test_many_files_are_compacted_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "CELLS_IN_A_PACK", 4)
    monkeypatch.setattr("phraseproof.store.pack_keeper.ENOUGH_FILES", 8)
    monkeypatch.setattr("phraseproof.store.pack_keeper._LOOKS_AFTER", 10)
    cells = different_cells(23)
    store = RunStore(tmp_path, SETTINGS)
    store.register(cells, {})
    for cell in cells[:21]:
        write_cell(store, cell)
    # After 10 and 20 files: two packs of four each time, and the two that were left join the next ones.
    assert (own_files(tmp_path), len(packs(tmp_path))) == (1, 6)
    for cell in cells[21:]:
        write_cell(store, cell)
    store.finish(0)
    assert load_run(tmp_path).missing == ()
    expected = {f"mine/{n}": n % 3 / 2 for n in range(23)}
    assert content_of(tmp_path)[1] == expected


def test_vectors_are_left(tmp_path: Path) -> None:
    """They are stored in files of cells too, and a pack has no column for them."""
    cells = different_cells(3)
    store = RunStore(tmp_path, SETTINGS)
    store.register(cells, {})
    for cell in cells:
        store.write_table(cell, vector_table(cell, ["1", "2"], np.array([[1, 2], [3, 4]], dtype=np.float32)))
    store.finish(0)
    for opened in (store, RunStore(tmp_path, SETTINGS)):
        assert opened.compact() == (0, 0)
    found = StoredVectors(tmp_path, read_run_file(tmp_path)).of("t", 0)
    assert found.array.tolist() == [[[1, 2], [3, 4]]] * 3


def test_tables_with_more_columns_than_outcomes_are_left(tmp_path: Path) -> None:
    store = finished_run(tmp_path, make_cell())
    table = pq.read_table(store.cell_path(make_cell()))
    for cell in different_cells(2):
        store.write_table(cell, table.append_column("another", table["score"]))
    assert store.compact() == (0, 0)
    assert own_files(tmp_path) == 3


@has_fork
def test_a_kill_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    """The process dies before the n-th change of the disk, for every n, until it comes to its end."""
    cells = different_cells(3)
    different_run(tmp_path, cells)
    before = content_of(tmp_path)
    steps = [(os, "fsync"), (Path, "unlink"), (Path, "replace"), (Path, "mkdir"), (pq.ParquetWriter, "write_table")]
    number = 1
    while True:

        def work(number: int = number) -> None:
            kill_at(number, steps)
            RunStore(tmp_path, SETTINGS).compact()

        code = in_a_fork(work)
        assert code in (0, -9)
        assert content_of(tmp_path) == before
        assert RunStore(tmp_path, SETTINGS).missing(cells) == ([], [])
        if not code:
            break
        if packs(tmp_path) and not own_files(tmp_path):  # it died after its work: begin the next one from files again
            for pack in packs(tmp_path):
                pack.unlink()
            different_run(tmp_path, cells)
        number += 1
    assert number > 10
    assert (own_files(tmp_path), len(packs(tmp_path))) == (0, 1)
    assert not list(tmp_path.glob("cells/t/packed/.*"))


@has_fork
def test_readers_and_writers_go_on_during_compaction(tmp_path: Path) -> None:
    cells = different_cells(30)
    store = RunStore(tmp_path, SETTINGS)
    store.register(cells, {})
    write_cell(store, cells[0])
    children = [os.fork(), 0]
    if not children[0]:
        try:
            for cell in cells[1:]:
                write_cell(store, cell)
            os._exit(0)
        finally:
            os._exit(1)
    children[1] = os.fork()
    if not children[1]:
        try:
            until, draw = time.monotonic() + 1.5, random.Random(0)
            while time.monotonic() < until:
                RunStore(tmp_path, SETTINGS).compact()
                time.sleep(draw.random() / 100)
            os._exit(0)
        finally:
            os._exit(1)
    running = list(children)
    reads = 0
    while running:
        run = load_run(tmp_path)
        done = [cell for cell in run.cells if cell not in set(run.missing)]
        scores = {score.instruction: score.mean_score for score in run.wording_scores()}
        assert scores == {cell.instruction: int(cell.instruction[5:]) % 3 / 2 for cell in done}
        rows = [table.num_rows for _, table in run.read_cells(["score"])]
        assert rows == [2] * len(done)
        reads += 1
        for child in list(running):
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                running.remove(child)
                assert os.waitstatus_to_exitcode(status) == 0
    assert reads > 1
    assert RunStore(tmp_path, SETTINGS).missing(cells) == ([], [])
    assert len(content_of(tmp_path)[0]) == 60
