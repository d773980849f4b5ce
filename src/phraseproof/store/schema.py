"""The columns of a stored cell. Their names are a public interface: people query them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from phraseproof.core import Cell, Outcome
from phraseproof.identity import SCHEMA_VERSION
from phraseproof.store.columns import typed_column

IDENTITY_KEY = b"phraseproof.identity"
SCHEMA_KEY = b"phraseproof.schema_version"
USAGE_KEY = b"phraseproof.usage"

COLUMNS = pa.schema(
    [
        ("task", pa.string()),
        ("category", pa.string()),
        ("instruction", pa.string()),
        ("group", pa.string()),
        ("num_fewshot", pa.int32()),
        ("fewshot_seed", pa.int32()),
        ("example_id", pa.string()),
        ("options", pa.list_(pa.string())),
        ("option_logprobs", pa.list_(pa.float64())),
        ("predicted", pa.int32()),
        ("target", pa.int32()),
        ("text", pa.string()),
        ("score", pa.float64()),
        ("prompt_tokens", pa.int32()),
        ("computed_tokens", pa.int32()),
        ("truncated_tokens", pa.int32()),
        ("prompt", pa.string()),
        # Not in cells that were written before these columns existed; readers then see nulls (`add_missing_columns`).
        ("option_tokens", pa.list_(pa.int32())),
        ("option_credits", pa.list_(pa.float64())),
        ("reference", pa.string()),
        ("scoring", pa.string()),
        ("metric", pa.string()),
        ("option_upper_logprobs", pa.list_(pa.float64())),
        ("is_open", pa.bool_()),
        ("repeat", pa.int32()),
        ("other_references", pa.list_(pa.string())),
        ("is_cut", pa.bool_()),
        ("statistics", pa.list_(pa.float64())),
        ("option_order", pa.int32()),
    ]
)

_OUTCOME_COLUMNS = (
    "example_id",
    "options",
    "option_logprobs",
    "predicted",
    "target",
    "text",
    "score",
    "prompt_tokens",
    "computed_tokens",
    "truncated_tokens",
    "prompt",
    "option_tokens",
    "option_credits",
    "reference",
    "option_upper_logprobs",
    "is_open",
    "other_references",
    "is_cut",
    "statistics",
)
TUPLES = (
    "options",
    "option_logprobs",
    "option_tokens",
    "option_credits",
    "option_upper_logprobs",
    "other_references",
    "statistics",
)
"""The columns that `Outcome` holds as tuples."""

CELL_COLUMNS = (
    "task",
    "category",
    "instruction",
    "group",
    "num_fewshot",
    "fewshot_seed",
    "scoring",
    "metric",
    "repeat",
    "option_order",
)


def to_table(cell: Cell, outcomes: Sequence[Outcome], usage_json: str) -> pa.Table:
    """One cell's outcomes as columns, the cell's identity and usage in the file's metadata."""
    count = len(outcomes)
    columns: dict[str, list[object]] = {name: [getattr(cell, name)] * count for name in CELL_COLUMNS}
    for name in _OUTCOME_COLUMNS:
        columns[name] = [getattr(outcome, name) for outcome in outcomes]
    arrays = [typed_column(columns[field.name], field.type) for field in COLUMNS]
    return with_metadata(pa.Table.from_arrays(arrays, schema=COLUMNS), cell.identity, usage_json)


def with_metadata(table: pa.Table, identity: str, usage_json: str) -> pa.Table:
    """The table with the metadata of a cell's own file."""
    metadata = {
        IDENTITY_KEY: identity.encode(),
        SCHEMA_KEY: str(SCHEMA_VERSION).encode(),
        USAGE_KEY: usage_json.encode(),
    }
    return table.replace_schema_metadata(metadata)


def to_outcomes(table: pa.Table) -> list[Outcome]:
    """The rows of a stored cell as outcomes, in their order."""
    rows: list[dict[str, Any]] = add_missing_columns(table).select(_OUTCOME_COLUMNS).to_pylist()
    for row in rows:
        row |= {name: tuple(row[name] or ()) for name in TUPLES}
    return [Outcome(**row) for row in rows]


def add_missing_columns(table: pa.Table) -> pa.Table:
    """The table with every column of `COLUMNS`, null where an older version did not write it."""
    for field in COLUMNS:
        if field.name not in table.column_names:
            table = table.append_column(field, pa.nulls(table.num_rows, field.type))
    return table


def relabel(table: pa.Table, cell: Cell) -> pa.Table:
    """The same outcomes under `cell`'s names: what a wording is called does not change its numbers."""
    metadata = table.schema.metadata
    table = add_missing_columns(table)
    for name in CELL_COLUMNS:
        column = typed_column([getattr(cell, name)] * table.num_rows, COLUMNS.field(name).type)
        table = table.set_column(table.schema.get_field_index(name), COLUMNS.field(name), column)
    return table.replace_schema_metadata(metadata)
