"""Columns become arrays with the values of pyarrow's own conversion, and without pandas."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from phraseproof.store.columns import column_values


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


def test_pandas_is_not_imported() -> None:
    code = (
        "import sys, pyarrow as pa, numpy as np\n"
        "from phraseproof.store.columns import column_values\n"
        "column = pa.Array.from_buffers(pa.int32(), 2, [None, pa.py_buffer(np.array([4, 5], dtype='int32'))])\n"
        "assert column_values(column).tolist() == [4, 5]\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
