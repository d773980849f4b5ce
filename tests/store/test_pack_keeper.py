"""Damaged packs: what is whole in them is kept, and only the rest is computed again."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any, NoReturn

import pytest

from phraseproof.errors import RunError
from phraseproof.store.packs import opened, read_pack
from phraseproof.store.queries import load_run
from phraseproof.store.run_file import RUN_FILE
from phraseproof.store.writer import RunStore
from support.packed_cells import content_of, different_cells, different_run, own_files, packs, write_cell
from support.stored_cells import SETTINGS


def damage(pack: Path, cell: int) -> None:
    """Change a byte of the scores of one cell."""
    with opened(pack) as file:
        column = file.schema_arrow.get_field_index("example_id")
        chunk = file.metadata.row_group(cell).column(column)
        place = chunk.data_page_offset + chunk.total_compressed_size - 4
    content = bytearray(pack.read_bytes())
    content[place] ^= 1
    pack.write_bytes(content)


def test_only_the_damaged_cell_is_computed_again(tmp_path: Path) -> None:
    cells = different_cells(4)
    different_run(tmp_path, cells).compact()
    before = content_of(tmp_path)
    (pack,) = packs(tmp_path)
    number = [cell.identity for cell in read_pack(pack)].index(cells[2].identity)
    damage(pack, number)
    with pytest.raises(RunError, match="its checksum is not") as caught:
        content_of(tmp_path)
    assert caught.value.where == str(pack)
    store = RunStore(tmp_path, SETTINGS)
    lacking, errors = store.missing(cells)
    assert (lacking, [error.where for error in errors]) == ([cells[2]], [str(pack)])
    assert [path.name for path in pack.parent.iterdir()] == [f"{pack.name}.damaged"]
    assert [cell.identity for cell in load_run(tmp_path).missing] == [cells[2].identity]
    write_cell(store, cells[2])
    store.finish(0)
    assert content_of(tmp_path) == before
    assert RunStore(tmp_path, SETTINGS).missing(cells) == ([], [])
    assert store.compact() == (4, 1)
    assert content_of(tmp_path) == before


def test_an_unreadable_pack_is_computed_again(tmp_path: Path) -> None:
    cells = different_cells(2)
    different_run(tmp_path, cells).compact()
    (pack,) = packs(tmp_path)
    pack.write_bytes(pack.read_bytes()[:-10])
    with pytest.raises(RunError, match="damaged"):
        load_run(tmp_path).wording_scores()
    lacking, errors = RunStore(tmp_path, SETTINGS).missing(cells)
    assert (lacking, len(errors)) == (cells, 1)


def test_a_file_next_to_its_pack_is_read_and_then_removed(tmp_path: Path) -> None:
    """As after a kill between the two."""
    cells = different_cells(3)
    store = different_run(tmp_path, cells)
    before = content_of(tmp_path)
    files = {path: path.read_bytes() for path in map(store.cell_path, cells)}
    store.compact()
    for path, content in files.items():
        path.write_bytes(content)
    assert content_of(tmp_path) == before
    files.popitem()[0].unlink()
    assert content_of(tmp_path) == before  # the view reads one row group of the pack
    assert RunStore(tmp_path, SETTINGS).compact() == (2, 0)
    assert own_files(tmp_path) == 0
    assert content_of(tmp_path) == before


def test_versions_that_know_no_packs_refuse_runs_with_packs(tmp_path: Path) -> None:
    """They read runs of the schema version 1 only."""
    cells = different_cells(2)
    store = different_run(tmp_path, cells)
    before, run_file = content_of(tmp_path), tmp_path / RUN_FILE
    assert json.loads(run_file.read_text())["schema_version"] == 1
    store.compact()
    assert json.loads(run_file.read_text())["schema_version"] == "1 with packs"
    assert content_of(tmp_path) == before
    RunStore(tmp_path, SETTINGS).register(cells, {})
    assert json.loads(run_file.read_text())["schema_version"] == "1 with packs"


def test_a_run_finishes_where_there_is_no_room_for_a_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any, **_named: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("phraseproof.store.pack_keeper.ENOUGH_FILES", 2)
    monkeypatch.setattr("phraseproof.store.packs.publish", full)
    store = different_run(tmp_path, different_cells(3))  # as it finishes, it has enough files
    with pytest.raises(RunError, match="No space left"):
        store.compact()
    assert (own_files(tmp_path), packs(tmp_path), load_run(tmp_path).missing) == (3, [], ())
    assert not list(tmp_path.glob("cells/t/packed/.*"))
