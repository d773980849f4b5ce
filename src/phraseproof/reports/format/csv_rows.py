"""CSV. Everything that writes CSV uses it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

CsvCell: TypeAlias = str | int | float | None


def render_rows(columns: Sequence[str], rows: Iterable[Mapping[str, CsvCell]]) -> str:
    """A header and one line per row; a column that a row lacks is empty. Floats are in full precision."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()
