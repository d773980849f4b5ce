"""Reads whole outcomes of the index from the run's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from phraseproof.errors import RunError
from phraseproof.viewer.index import RunIndex

COLUMNS = (
    "example_id",
    "score",
    "options",
    "option_logprobs",
    "option_credits",
    "predicted",
    "target",
    "text",
    "reference",
    "other_references",
    "is_cut",
    "is_open",
    "prompt_tokens",
    "truncated_tokens",
    "prompt",
)


class StoredRow(NamedTuple):
    """Where an outcome is.

    Attributes:
        cell: its place in `RunIndex.cells`.
        row: of the cell.
        example: the number of its example.
    """

    cell: int
    row: int
    example: int


def read_rows(
    index: RunIndex, wanted: Sequence[StoredRow], columns: Sequence[str] = COLUMNS
) -> dict[StoredRow, Mapping[str, Any]]:
    """The outcomes at some places, with some of their columns; `example_id` is always among them.

    Raises:
        RunError: a file is damaged or gone, or holds other rows than when it was indexed.
    """
    import pyarrow as pa

    by_cell: dict[int, list[StoredRow]] = {}
    for each in wanted:
        by_cell.setdefault(each.cell, []).append(each)
    places = {index.cells[number]: number for number in by_cell}
    names = tuple(dict.fromkeys(("example_id", *columns)))
    found: dict[StoredRow, Mapping[str, Any]] = {}
    tables = index.run.read_cells(names, only=list(places)) if places else ()
    for cell, table in tables:
        at = by_cell[places[cell]]
        if max(each.row for each in at) >= table.num_rows:
            raise _changed()
        for each, row in zip(at, table.take(pa.array([each.row for each in at])).to_pylist(), strict=True):
            if row["example_id"] != index.examples[each.example][1]:
                raise _changed()
            found[each] = row
    if len(found) < len(set(wanted)):
        raise _changed()
    return found


def _changed() -> RunError:
    return RunError("the run was written again while it was shown", hint="Reload the page in a few seconds")
