"""Columns of stored cells as arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa


def column_values(column: pa.Array | pa.ChunkedArray) -> npt.NDArray[Any]:
    """A copy of a column of numbers as an array; NaN where a value is null.

    pyarrow's `to_numpy` imports pandas where it is installed, which takes longer than a small table needs in all.
    """
    whole = column if not hasattr(column, "combine_chunks") else column.combine_chunks()
    if whole.null_count or not len(whole):
        return np.array(whole.to_numpy(zero_copy_only=False))
    return np.array(np.from_dlpack(whole))
