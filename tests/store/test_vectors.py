"""Vectors as they are stored and read again, by cell and by example."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from phraseproof.errors import RunError
from phraseproof.store.vectors import FOLDER, load_vectors, read_vectors, vector_table
from phraseproof.store.writer import RunStore
from support.stored_cells import SETTINGS, make_cell

ONE, TWO = make_cell(), make_cell("b" * 32, instruction="mine/two", group="unobserved")
ARRAYS = {
    cell: np.random.default_rng(n).standard_normal((2, 5)).astype(np.float32) for n, cell in enumerate((ONE, TWO))
}


def stored(run: Path, *, ids: tuple[str, ...] = ("x", "y")) -> RunStore:
    store = RunStore(run / FOLDER, SETTINGS)
    store.register([ONE, TWO], {})
    store.write_table(ONE, vector_table(ONE, ("x", "y"), ARRAYS[ONE]))
    store.write_table(TWO, vector_table(TWO, ids, ARRAYS[TWO]))
    return store


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    stored(tmp_path)
    vectors = load_vectors(tmp_path)
    found = vectors.of("t", 0)
    assert vectors.planes() == [("t", 0)]
    assert (found.instructions, found.groups) == (("mine/one", "mine/two"), ("observed", "unobserved"))
    assert (found.category, found.example_ids) == ("c", ("x", "y"))
    np.testing.assert_array_equal(found.array, np.stack([ARRAYS[ONE], ARRAYS[TWO]]))
    assert found.array.dtype == np.float32


def test_vectors_are_found_by_identity_and_example(tmp_path: Path) -> None:
    files = stored(tmp_path).files()
    (found,) = read_vectors(files, "t", TWO.identity)
    assert found.keys() == {"x", "y"}
    np.testing.assert_array_equal(found["y"], ARRAYS[TWO][1])
    assert list(read_vectors(files, "t", "c" * 32)) == []


def test_damaged_vectors_are_an_error_for_readers_and_skipped_for_reuse(tmp_path: Path) -> None:
    path = stored(tmp_path).cell_path(ONE)
    path.write_bytes(path.read_bytes()[:-9])
    assert list(read_vectors(RunStore(tmp_path / FOLDER, SETTINGS).files(), "t", ONE.identity)) == []
    with pytest.raises(RunError, match="damaged") as caught:
        load_vectors(tmp_path).of("t", 0)
    assert str(path) in str(caught.value)


def test_vectors_of_other_examples_are_not_compared(tmp_path: Path) -> None:
    stored(tmp_path, ids=("x", "z"))
    with pytest.raises(RunError, match="are not of the same examples"):
        load_vectors(tmp_path).of("t", 0)


def test_cells_that_are_not_done_are_left_out(tmp_path: Path) -> None:
    stored(tmp_path).cell_path(ONE).unlink()
    vectors = load_vectors(tmp_path)
    assert vectors.missing == (ONE,)
    assert vectors.of("t", 0).instructions == ("mine/two",)
    with pytest.raises(RunError, match="there are no representations of 't' at 5 shots"):
        vectors.of("t", 5)


def test_a_folder_without_vectors_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no representations are stored here.*phraseproof represent"):
        load_vectors(tmp_path)


def test_columns_are_names_and_one_vector_of_fixed_width(tmp_path: Path) -> None:
    path = stored(tmp_path).cell_path(TWO)
    table = pq.read_table(path)
    assert str(table.schema.field("vector").type) == "fixed_size_list<element: float>[5]"
    assert table["instruction"].to_pylist() == ["mine/two"] * 2
    assert table.schema.metadata[b"phraseproof.identity"] == TWO.identity.encode()
