"""The DuckDB view `outcomes` over cell files, also of older versions and of more files than a process may open."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.scoring.registry import DEFAULT_METRIC
from phraseproof.store.packs import CellPlace, read_pack
from phraseproof.store.schema import COLUMNS

if TYPE_CHECKING:
    import duckdb
    import pyarrow.dataset as ds

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
    places: Sequence[CellPlace],
    *,
    scoring: str,
    is_mixed: bool,
    name: str = "outcomes",
) -> None:
    """Create the view: the rows of all places, with every column of `schema.COLUMNS`.

    Args:
        connection: where the view is created.
        places: stored cells, checked.
        scoring: the scorer of rows that do not name one.
        is_mixed: some files lack columns that others have.
        name: of the view.
    """
    row_groups: dict[Path, list[int]] = {}
    for place in places:
        row_groups.setdefault(place.path, []).extend([] if place.row_group is None else [place.row_group])
    is_whole = all(len(used) in (0, len(read_pack(path)) if used else 0) for path, used in row_groups.items())
    if is_whole and len(row_groups) + _OTHER_FILES <= _max_open_files():
        # Uniting columns by name costs more than reading, so it is done only if the files differ.
        is_mixed = is_mixed or len({bool(used) for used in row_groups.values()}) > 1
        outcomes = connection.read_parquet([str(path) for path in row_groups], union_by_name=is_mixed)
    else:
        # DuckDB keeps all files open, and reads whole ones. A dataset of Arrow opens them one after the other.
        outcomes = connection.from_arrow(_dataset(row_groups))
    added = "".join(f', NULL::{kind} AS "{name}"' for name, kind in _LATER if name not in outcomes.columns)
    named = scoring.replace("'", "''")
    outcomes.project(f"*{added}").project(
        f"* REPLACE (coalesce(scoring, '{named}') AS scoring, coalesce(metric, '{DEFAULT_METRIC}') AS metric, "
        "coalesce(repeat, 0)::INTEGER AS repeat, coalesce(option_order, 0)::INTEGER AS option_order)"
    ).create_view(name)


def _dataset(row_groups: Mapping[Path, Sequence[int]]) -> ds.Dataset:
    """Cell files, and of packs some of their row groups, with every column of `schema.COLUMNS`."""
    from pyarrow import dataset, fs

    parquet, disk = dataset.ParquetFileFormat(), fs.LocalFileSystem()
    fragments = [
        parquet.make_fragment(str(path.resolve()), disk, row_groups=list(used) or None)
        for path, used in row_groups.items()
    ]
    return dataset.FileSystemDataset(fragments, COLUMNS, parquet, disk)


def _max_open_files() -> int:
    """The maximum number of files that this process may have open."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return sys.maxsize
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft
