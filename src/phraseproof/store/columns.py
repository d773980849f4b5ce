"""Columns of stored cells to and from arrays, without pandas.

pyarrow imports pandas, where it is installed, to convert Python lists and NumPy arrays; that takes longer than a small
run needs in all.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import numpy.typing as npt


def column_values(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """A copy of a column of numbers as an array; NaN where a value is null."""
    whole = column if not hasattr(column, "combine_chunks") else column.combine_chunks()
    if whole.null_count or not len(whole):
        return np.array(whole.to_numpy(zero_copy_only=False))
    return np.array(np.from_dlpack(whole))


def number_column(values: npt.NDArray[Any], kind: pa.DataType, is_valid: npt.NDArray[np.bool_]) -> pa.Array:
    """A column of numbers from an array.

    Args:
        values: [rows].
        kind: int32 or float64.
        is_valid: [rows] False where the column is null.
    """
    nulls = len(values) - int(is_valid.sum())
    data = np.ascontiguousarray(values, dtype="i4" if kind == pa.int32() else "f8")
    return pa.Array.from_buffers(kind, len(data), [_bits(is_valid) if nulls else None, pa.py_buffer(data)], nulls)


def flat_values(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """The numbers in a column of lists, one list after the other."""
    whole = column if not hasattr(column, "combine_chunks") else column.combine_chunks()
    ends = column_values(whole.offsets)
    return np.asarray(column_values(whole.values), dtype=np.float64)[ends[0] : ends[-1]]


def list_lengths(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """[rows] the number of items of each list; NaN where a list is null."""
    whole = column if not hasattr(column, "combine_chunks") else column.combine_chunks()
    lengths = np.diff(column_values(whole.offsets)).astype(np.float64)
    return np.where(is_present(whole), lengths, np.nan)


def is_present(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """[rows] where a value is not null."""
    if not column.null_count:
        return np.ones(len(column), dtype=bool)
    found = column.is_valid()
    whole = found if not hasattr(found, "combine_chunks") else found.combine_chunks()
    return np.asarray(whole.to_numpy(zero_copy_only=False), dtype=bool)


def statistics_of(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """[rows, values] the statistics of a corpus metric, of which every row has the same number."""
    return flat_values(column).reshape(len(column), -1)


def lists_of(column: pa.Array | pa.ChunkedArray, values: npt.NDArray[np.float64]) -> pa.Array:
    """A column of lists with the lengths of another one, and other numbers.

    Args:
        column: lists of any items, none of them null.
        values: the numbers, one list after the other.
    """
    whole = column if not hasattr(column, "combine_chunks") else column.combine_chunks()
    ends = column_values(whole.offsets)
    items = number_column(values, pa.float64(), np.ones(len(values), dtype=bool))
    buffers = [None, pa.py_buffer((ends - ends[0]).astype(np.int32))]
    return pa.Array.from_buffers(pa.list_(pa.float64()), len(whole), buffers, 0, children=[items])


def typed_column(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    """What `pa.array(values, kind)` returns; `None` becomes null.

    Args:
        kind: string, bool, int32, float64, or a list of one of them.

    Raises:
        TypeError, OverflowError, UnicodeEncodeError: a value that the type cannot hold.
    """
    count = len(values)
    is_valid = np.array([value is not None for value in values], dtype=bool)
    nulls = count - int(is_valid.sum())
    mask = _bits(is_valid) if nulls else None
    if kind == pa.string():
        texts = [b"" if value is None else value.encode() for value in cast("Sequence[str | None]", values)]
        buffers = [mask, _offsets([len(text) for text in texts]), pa.py_buffer(b"".join(texts))]
        return pa.Array.from_buffers(kind, count, buffers, nulls)
    if isinstance(kind, pa.ListType):
        lists = [() if value is None else value for value in cast("Sequence[Sequence[object] | None]", values)]
        items = typed_column([item for each in lists for item in each], kind.value_type)
        return pa.Array.from_buffers(
            kind, count, [mask, _offsets([len(each) for each in lists])], nulls, children=[items]
        )
    if kind == pa.bool_():
        data = _bits(np.array([value is True for value in values], dtype=bool))
    elif kind == pa.int32():
        # `index` refuses fractions, which NumPy would cut off.
        numbers = [0 if value is None else operator.index(value) for value in cast("Sequence[int | None]", values)]
        data = pa.py_buffer(np.array(numbers, "i4"))
    elif kind == pa.float64():
        given = [0.0 if value is None else value for value in cast("Sequence[float | None]", values)]
        data = pa.py_buffer(np.array(given, "f8"))
    else:
        raise TypeError(f"no column of {kind} is stored")
    return pa.Array.from_buffers(kind, count, [mask, data], nulls)


def _bits(flags: npt.NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def _offsets(lengths: Sequence[int]) -> pa.Buffer:
    ends = np.cumsum([0, *lengths], dtype=np.int64)
    if ends[-1] > np.iinfo(np.int32).max:
        raise OverflowError(f"a column of {ends[-1]:,} bytes or items, and Arrow holds at most 2 GiB")
    return pa.py_buffer(ends.astype(np.int32))
