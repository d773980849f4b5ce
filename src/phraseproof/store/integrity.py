"""Checks stored cells before they are read, so that a damaged file is reported and never averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from phraseproof.core import Cell
from phraseproof.errors import UsageError
from phraseproof.scoring.registry import metric
from phraseproof.store.cell_files import check_cell, check_rows, damaged
from phraseproof.store.checksums import CHECKSUMS, require_checksum
from phraseproof.store.run_file import RunContent

_OUT_OF_RANGE = """
    score IS NULL OR NOT isfinite(score) OR score NOT BETWEEN ? AND ?
    OR predicted < 0 OR predicted >= len(options) OR list_max(option_logprobs) > 1e-3
    OR (len(option_logprobs) <> len(options) AND NOT (len(option_logprobs) = 0 AND text IS NOT NULL))
"""
"""Values that no evaluation writes. Rounding may lift a log-probability slightly above 0. To DuckDB, NaN is largest."""


_FILES_TOGETHER = 16


def check_files(run: Path, cells: Mapping[Path, Cell], content: RunContent) -> None:
    """Check the files of cells: by their checksum in `run.json`, or by the checksums of its pages, identity,
    number of rows, names and ranges.

    Args:
        run: the run folder.
        cells: the cell that each file is to hold.
        content: `run.json`.

    Raises:
        RunError: a file is damaged; it is named.
    """
    checksums: Mapping[str, int] = content.get(CHECKSUMS, {})
    unknown: dict[str, list[Path]] = {}
    for path, cell in cells.items():
        checksum = checksums.get(path.relative_to(run).as_posix())
        if checksum is not None:
            require_checksum(path, checksum)
        else:
            # A process was killed before it could write the checksum, or an older version wrote the file.
            check_cell(path, cell)
            check_rows(path, cell)
            unknown.setdefault(cell.metric, []).append(path)
    for name, paths in unknown.items():
        _check_ranges(paths, name)


def _check_ranges(paths: Sequence[Path], metric_name: str) -> None:
    # Checked in parts, so that the number of open files does not grow with the number of cells.
    for start in range(0, len(paths), _FILES_TOGETHER):
        _check_part(paths[start : start + _FILES_TOGETHER], metric_name)


def _check_part(paths: Sequence[Path], metric_name: str) -> None:
    import duckdb

    try:
        judge = metric(metric_name)
    except UsageError:  # of a package that is not installed here: its range is not known
        return
    with duckdb.connect() as connection:
        try:
            files = connection.read_parquet([str(path) for path in paths], filename=True, union_by_name=True)
            files.create_view("files")
            query = f"SELECT filename FROM files WHERE {_OUT_OF_RANGE} LIMIT 1"  # noqa: S608 - a constant
            found = connection.execute(query, [judge.low, judge.high]).fetchall()
        except duckdb.Error as error:
            raise damaged(paths[0].parent, str(error).splitlines()[0]) from None
    if found:
        raise damaged(Path(found[0][0]), "it holds values that no evaluation writes (score, choice or log-probability)")
