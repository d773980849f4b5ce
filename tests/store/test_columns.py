"""Columns become arrays with the values of pyarrow's own conversion, and without pandas."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.store.columns import column_values, flat_values, lists_of, number_column, typed_column


@pytest.mark.parametrize(
    "column",
    [
        pa.chunked_array([[1, 2], [3]], type=pa.int32()),
        pa.chunked_array([[0.5, None], [float("nan")]], type=pa.float64()),
        pa.chunked_array([], type=pa.int32()),
        pa.chunked_array([[0.25, 1.5, -3.0]], type=pa.float64()).slice(1, 2),
        pa.array([7, 8, 9], type=pa.int32()).slice(1),
    ],
)
def test_values_are_those_of_pyarrow(column: Any) -> None:
    found = column_values(column)
    np.testing.assert_array_equal(found, np.asarray(column))
    assert found.dtype == np.asarray(column).dtype
    assert found.flags.writeable


texts = st.text(st.characters(codec="utf-8"), max_size=8)
integers = st.integers(-(2**31), 2**31 - 1)
numbers = st.floats(allow_nan=False)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (texts, pa.string()),
        (integers, pa.int32()),
        (numbers, pa.float64()),
        (st.booleans(), pa.bool_()),
        (st.lists(texts, max_size=3), pa.list_(pa.string())),
        (st.lists(numbers | st.none(), max_size=3).map(tuple), pa.list_(pa.float64())),
        (st.lists(integers, max_size=3), pa.list_(pa.int32())),
    ],
)
@given(data=st.data())
def test_columns_are_those_of_pyarrow(values: st.SearchStrategy[object], kind: Any, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(values | st.none(), max_size=20))
    found = typed_column(drawn, kind)
    found.validate(full=True)
    assert found.equals(pa.array(drawn, kind))
    assert found.null_count == drawn.count(None)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(1.5, pa.int32()), (2**31, pa.int32()), ("\ud83d", pa.string()), ("x", pa.float64()), (1, pa.int64())],
)
def test_values_that_do_not_fit_are_refused(value: object, kind: Any) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        typed_column([value], kind)


def test_pandas_is_not_imported() -> None:
    code = (
        "import sys, pyarrow as pa\n"
        "from phraseproof.store.columns import column_values, flat_values, lists_of, number_column, typed_column\n"
        "assert column_values(typed_column([4, 5], pa.int32())).tolist() == [4, 5]\n"
        "assert typed_column([['a'], None], pa.list_(pa.string())).null_count == 1\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@given(st.lists(st.lists(st.floats(-5, 0), max_size=3), max_size=10), st.integers(0, 3))
def test_lists_of_numbers_are_read_and_written_flat(rows: list[list[float]], start: int) -> None:
    column = pa.chunked_array([pa.array(rows, pa.list_(pa.float64()))]).slice(start)
    flat = flat_values(column)
    assert flat.tolist() == [value for row in rows[start:] for value in row]
    found = lists_of(column, 2 * flat)
    found.validate(full=True)
    assert found.to_pylist() == [[2 * value for value in row] for row in rows[start:]]


def test_numbers_are_null_where_they_are_not_valid() -> None:
    found = number_column(np.array([1, 2, 3]), pa.int32(), np.array([True, False, True]))
    found.validate(full=True)
    assert found.equals(pa.array([1, None, 3], pa.int32()))
    whole = number_column(np.array([0.5, -np.inf]), pa.float64(), np.array([True, True]))
    assert whole.equals(pa.array([0.5, -np.inf], pa.float64()))
