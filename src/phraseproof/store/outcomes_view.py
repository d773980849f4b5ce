"""The DuckDB view `outcomes` over cell files, also of older versions and of more files than a process may open."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from phraseproof.scoring.registry import DEFAULT_METRIC
from phraseproof.store.cell_files import read_table
from phraseproof.store.schema import COLUMNS, add_missing_columns

if TYPE_CHECKING:
    import duckdb

_OTHER_FILES = 40
"""An allowance for open files that are not cells: standard streams, libraries, files of the caller."""

_LATER = (
    ("option_tokens", "INTEGER[]"),
    ("option_credits", "DOUBLE[]"),
    ("reference", "VARCHAR"),
    ("scoring", "VARCHAR"),
    ("metric", "VARCHAR"),
    ("option_upper_logprobs", "DOUBLE[]"),
    ("is_open", "BOOLEAN"),
    ("repeat", "INTEGER"),
    ("other_references", "VARCHAR[]"),
    ("is_cut", "BOOLEAN"),
    ("statistics", "DOUBLE[]"),
    ("option_order", "INTEGER"),
)
"""Columns that cells of the first versions lack, with DuckDB's types."""


def create_outcomes_view(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    *,
    scoring: str,
    is_mixed: bool,
    name: str = "outcomes",
) -> None:
    """Create the view: the rows of all files, with every column of `schema.COLUMNS`.

    Args:
        connection: where the view is created.
        paths: cell files, checked.
        scoring: the scorer of rows that do not name one.
        is_mixed: some files lack columns that others have.
        name: of the view.
    """
    if len(paths) + _OTHER_FILES <= _max_open_files():
        # Uniting columns by name costs more than reading, so it is done only if the files differ.
        outcomes = connection.read_parquet([str(path) for path in paths], union_by_name=is_mixed)
    else:
        # DuckDB keeps all files open. Reading them one by one needs more memory but has no limit.
        tables = [add_missing_columns(read_table(path)).select(COLUMNS.names) for path in paths]
        outcomes = connection.from_arrow(pa.concat_tables(tables).replace_schema_metadata(None))
    added = "".join(f', NULL::{kind} AS "{name}"' for name, kind in _LATER if name not in outcomes.columns)
    named = scoring.replace("'", "''")
    outcomes.project(f"*{added}").project(
        f"* REPLACE (coalesce(scoring, '{named}') AS scoring, coalesce(metric, '{DEFAULT_METRIC}') AS metric, "
        "coalesce(repeat, 0)::INTEGER AS repeat, coalesce(option_order, 0)::INTEGER AS option_order)"
    ).create_view(name)


def _max_open_files() -> int:
    """The maximum number of files that this process may have open."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return sys.maxsize
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
