from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from phraseproof.errors import RunError
from phraseproof.store.checksums import checksum_of
from phraseproof.store.packs import (
    CellPlace,
    PackedCell,
    is_pack,
    opened,
    pack_checksum,
    packs_of,
    read_pack,
    write_pack,
)

SCHEMA = pa.schema([("n", pa.int64())])


def table(*numbers: int) -> pa.Table:
    return pa.table({"n": pa.array(numbers, pa.int64())})


def one(name: str, rows: int) -> PackedCell:
    return PackedCell(f"g/{name}-1.parquet", name, 7, rows, {"wall_s": 1.5})


def test_cells_are_row_groups_in_their_order(tmp_path: Path) -> None:
    cells = [one("a", 2), one("b", 1)]
    assert list(write_pack(tmp_path, zip(cells, [table(1, 2), table(3)], strict=True), SCHEMA)) == cells
    (pack,) = packs_of(tmp_path)
    assert (read_pack(pack), pack_checksum(pack)) == (tuple(cells), checksum_of(pack))
    with opened(pack) as file:
        assert [file.read_row_group(n)["n"].to_pylist() for n in range(2)] == [[1, 2], [3]]
    assert (CellPlace(pack, 1).packed, CellPlace(pack, 1).file) == (cells[1], "g/b-1.parquet")
    assert (CellPlace(tmp_path / "g" / "c-1.parquet").packed, CellPlace(tmp_path / "g" / "c").file) == (None, "g/c")
    assert not is_pack(tmp_path / pack.name)
    assert pack_checksum(tmp_path / pack.name) is None


def test_nothing_is_left_of_a_pack_that_could_not_be_written(tmp_path: Path) -> None:
    def tables() -> Iterator[tuple[PackedCell, pa.Table]]:
        yield one("a", 1), table(1)
        raise RunError("no more")

    with pytest.raises(RunError, match="no more"):
        write_pack(tmp_path, tables(), SCHEMA)
    assert list((tmp_path / "packed").iterdir()) == []


def test_a_list_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "packed"
    folder.mkdir()
    pq.write_table(table(1), folder / "packed-00000000.parquet")
    (folder / "packed-00000001.parquet").write_bytes(b"no")
    for pack in packs_of(tmp_path):
        with pytest.raises(RunError, match="damaged"):
            read_pack(pack)


def test_a_replaced_pack_is_read_again(tmp_path: Path) -> None:
    write_pack(tmp_path, [(one("a", 1), table(1))], SCHEMA)
    (pack,) = packs_of(tmp_path)
    assert [cell.identity for cell in read_pack(pack)] == ["a"]
    write_pack(tmp_path / "other", [(one("bb", 2), table(1, 2))], SCHEMA)
    (other,) = packs_of(tmp_path / "other")
    other.replace(pack)
    assert [cell.identity for cell in read_pack(pack)] == ["bb"]
