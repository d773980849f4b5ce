from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.store.checksums import checksum_of
from phraseproof.store.complete_cells import CompleteCells
from phraseproof.store.run_file import read_run_file
from support.packed_cells import different_cells, different_run


def opened(path: Path) -> tuple[CompleteCells, list[Cell]]:
    content = read_run_file(path)
    return CompleteCells(path, content), [Cell(**entry) for entry in content["cells"]]


def test_cells_that_move_while_they_are_read(tmp_path: Path) -> None:
    store = different_run(tmp_path, different_cells(3))
    found, cells = opened(tmp_path)
    checksums = [checksum_of(store.cell_path(cell)) for cell in cells]
    places = found.places(cells)
    assert [place.row_group for place in places] == [None] * 3
    store.compact()
    assert sum(found.read(places[2], cells[2], ["score"])["score"].to_pylist()) == 2.0
    assert [place.row_group for place in found.places(cells)] == [0, 1, 2]
    assert not found.have_moved(found.places(cells))
    assert [found.checksum(cell) for cell in cells] == checksums
    assert found.missing([*cells, *different_cells(1, task="u")]) == tuple(different_cells(1, task="u"))


def test_a_listed_folder_that_is_compacted_before_it_is_checked(tmp_path: Path) -> None:
    store = different_run(tmp_path, different_cells(3))
    found, cells = opened(tmp_path)
    assert found.missing(cells) == ()
    store.compact()
    assert [place.row_group for place in found.places(cells)] == [0, 1, 2]


def test_a_pack_that_cannot_be_read_is_an_error_where_a_cell_is_missing(tmp_path: Path) -> None:
    store = different_run(tmp_path, different_cells(3))
    store.compact()
    (pack,) = tmp_path.glob("cells/t/packed/*")
    pack.write_bytes(b"nothing")
    found, cells = opened(tmp_path)
    assert found.missing(cells) == tuple(cells)
    with pytest.raises(RunError, match="damaged") as caught:
        found.places([], cells)
    assert caught.value.where == str(pack)


def test_a_file_that_is_removed_while_the_run_is_read_is_an_error(tmp_path: Path) -> None:
    """Its outcomes must not be missing from a table that counts the cell as complete."""
    store = different_run(tmp_path, different_cells(3))
    found, cells = opened(tmp_path)
    assert found.missing(cells) == ()
    store.cell_path(cells[1]).unlink()
    with pytest.raises(RunError, match="removed while the run was read"):
        found.places(cells)
    assert len(found.places([cells[0], cells[2]], [cells[1]])) == 2
