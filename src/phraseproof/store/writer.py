"""A run folder: `run.json`, and one Parquet file a cell, each written whole and renamed into place.

Anything may be killed at any moment, and several processes or machines may work on one folder:

* a cell's file either is not there or is complete;
* a cell is computed under a lock that the operating system drops when its holder dies;
* `run.json` is merged under a lock and replaced in one step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from phraseproof.core import Cell, Outcome
from phraseproof.errors import RunError
from phraseproof.files import replacing, write_json
from phraseproof.identity import SCHEMA_VERSION, content_hash
from phraseproof.store.run_file import RUN_FILE, edited_entries, read_run_file, require_same, wording_keys
from phraseproof.store.schema import IDENTITY_KEY, USAGE_KEY, relabel, to_outcomes, to_table


@dataclass(frozen=True, slots=True)
class Usage:
    """What a cell cost.

    Attributes:
        scoring_cpu_s, wall_s: process CPU seconds and elapsed seconds spent in the model.
        tokens_asked: what one forward pass an option would have read.
        tokens_computed: what was run through the model.
    """

    scoring_cpu_s: float = 0.0
    wall_s: float = 0.0
    tokens_asked: int = 0
    tokens_computed: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.scoring_cpu_s + other.scoring_cpu_s,
            self.wall_s + other.wall_s,
            self.tokens_asked + other.tokens_asked,
            self.tokens_computed + other.tokens_computed,
        )

    def part(self, share: float) -> Usage:
        """A share of it."""
        return Usage(
            self.scoring_cpu_s * share,
            self.wall_s * share,
            round(self.tokens_asked * share),
            round(self.tokens_computed * share),
        )


class PassedOn(NamedTuple):
    """Outcomes that other cells hold of the same wording, by example, and what computing them cost."""

    outcomes: Mapping[str, Outcome]
    usage: Usage


class Edited(NamedTuple):
    """Cells of a run whose wording or data was edited since they were planned.

    Attributes:
        left: no longer in the run.
        replaced: each has another cell in its place.
    """

    left: list[Cell]
    replaced: list[Cell]


class RunStore:
    """The writing side of a run folder.

    Args:
        path: the folder; made if it is not there.
        settings: everything that must be the same for all cells of the run, as plain JSON data.

    Raises:
        RunError: the folder belongs to a run with other settings, is not a run folder, or cannot be written.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        self.path = path
        self._settings = dict(settings)
        if path.exists() and not path.is_dir():
            raise RunError("a run needs a folder, and this is a file", where=str(path), hint="Give another --out")
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / ".locks").mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot make the run folder: {error.strerror}", where=str(path)) from None
        with self.one_at_a_time("run"):
            if (path / RUN_FILE).exists():
                require_same(path, read_run_file(path)["settings"], self._settings)

    def register(self, cells: Sequence[Cell], record: Mapping[str, Mapping[str, Any]]) -> Edited:
        """Add cells to the run, and what there is to know about them.

        A cell takes the place of an earlier one with the same task, instruction, group, shots and seed: its wording or
        its data was edited since. Other cells of a task or wording that was edited leave the run, since a table must
        not set outcomes on today's data beside those on yesterday's; their files stay where they are.

        Args:
            cells: the plan.
            record: sections of `run.json` to merge key by key (`tasks`, `instructions`, `environment`, ...). An entry
                of `tasks` or `instructions` was edited if its `content` is another than before.

        Returns:
            The cells that are not what they were.
        """
        with self.one_at_a_time("run"):
            content = read_run_file(self.path) if (self.path / RUN_FILE).exists() else self._new_content()
            planned = {_slot(cell): cell for cell in map(asdict, cells)}
            edited = {
                name: edited_entries(content.get(name, {}), record.get(name, {})) for name in ("tasks", "instructions")
            }
            stale = [
                cell
                for cell in content["cells"]
                if _slot(cell) not in planned
                and (
                    cell["task"] in edited["tasks"]
                    or not edited["instructions"].isdisjoint(wording_keys(cell["task"], cell["instruction"]))
                )
            ]
            known = {_slot(cell): cell for cell in content["cells"] if cell not in stale}
            replaced = [cell for slot, cell in known.items() if slot in planned and _is_other(cell, planned[slot])]
            content["cells"] = list((known | planned).values())
            for section, entries in record.items():
                content.setdefault(section, {}).update(entries)
            write_json(self.path / RUN_FILE, content, error=RunError)
        return Edited([Cell(**cell) for cell in stale], [Cell(**cell) for cell in replaced])

    def finish(self, peak_rss_bytes: int) -> None:
        """Write the run's total usage, summed over the cells that are done."""
        with self.one_at_a_time("run"):
            content = read_run_file(self.path)
            total = Usage()
            for entry in content["cells"]:
                path = self.cell_path(Cell(**entry))
                if path.exists():
                    total += read_usage(path)
            peak = max(peak_rss_bytes, content.get("usage", {}).get("peak_rss_bytes", 0))
            content["usage"] = {**asdict(total), "peak_rss_bytes": peak}
            write_json(self.path / RUN_FILE, content, error=RunError)

    def has(self, cell: Cell) -> bool:
        """Whether the cell is done; outcomes computed earlier under another name are adopted, not computed again.

        Raises:
            RunError: the cell's file is damaged.
        """
        path = self.cell_path(cell)
        found = _find(self.path, cell)
        if found not in {None, path}:
            _write_parquet(path, relabel(pq.read_table(found), cell))
        return found is not None

    @contextmanager
    def claim(self, cell: Cell, *, wait: bool) -> Generator[bool]:
        """Hold the cell's lock; yields whether the cell is ours to compute (it may be done, or another's, by now).

        Args:
            wait: wait for another holder to finish or die, instead of yielding False at once.
        """
        lock_path = self.path / ".locks" / f"{cell.identity}.lock"
        lock = FileLock(lock_path)
        try:
            _acquire(lock, timeout_s=-1 if wait else 0)
        except Timeout:
            yield False
            return
        try:
            if self.has(cell):
                yield False
            else:
                # Only a holder that died leaves half-written files behind.
                for leftover in self.cell_path(cell).parent.glob(f".{cell.identity}.*.tmp"):
                    leftover.unlink(missing_ok=True)
                yield True
            # Whoever takes the lock from here on looks at the finished cell first, so the file may go.
            if self.cell_path(cell).exists():
                lock_path.unlink(missing_ok=True)
        finally:
            lock.release()

    def passed_on(self, cell: Cell, examples: Collection[str]) -> PassedOn:
        """What is stored of this wording in parts or in the whole of the cell (`--budget`), not to be computed again.

        Args:
            cell: a cell that is not done.
            examples: the ids that are wanted.

        Raises:
            RunError: a file that holds some of it is damaged.
        """
        found: dict[str, Outcome] = {}
        usage = Usage()
        for path in _kin(self.path, cell):
            check_cell(path, path.name.split("-")[0])
            table = pq.read_table(path)
            wanted = set(examples) - found.keys()
            fresh = {outcome.example_id: outcome for outcome in to_outcomes(table) if outcome.example_id in wanted}
            found |= fresh
            usage += read_usage(path).part(len(fresh) / max(1, table.num_rows))
        return PassedOn(found, usage)

    def write(self, cell: Cell, outcomes: Sequence[Outcome], usage: Usage) -> None:
        """Store a finished cell."""
        self.write_table(cell, to_table(cell, outcomes, json.dumps(asdict(usage))))

    def write_table(self, cell: Cell, table: pa.Table) -> None:
        """Store a finished cell as a table of any columns, its identity in the table's metadata."""
        _write_parquet(self.cell_path(cell), table)
        self._failure_path(cell).unlink(missing_ok=True)

    def record_failure(self, cell: Cell, error: str, details: str) -> None:
        """Keep why a cell could not be computed; the next run tries it again."""
        path = self._failure_path(cell)
        write_json(path, {"cell": asdict(cell), "error": error, "details": details}, error=RunError)

    def cell_path(self, cell: Cell) -> Path:
        """Where the cell's outcomes are, or will be."""
        return cell_path(self.path, cell)

    def _failure_path(self, cell: Cell) -> Path:
        return self.path / "failures" / f"{self.cell_path(cell).stem}-{_slug(cell.group)}.json"

    @contextmanager
    def one_at_a_time(self, what: str) -> Generator[None]:
        """Keep other processes that work on this folder out of blocks of the same name."""
        lock = FileLock(self.path / ".locks" / f"{what}.lock")
        _acquire(lock, timeout_s=-1)
        try:
            yield
        finally:
            lock.release()

    def _new_content(self) -> dict[str, Any]:
        return {"schema_version": SCHEMA_VERSION, "settings": self._settings, "cells": []}


def cell_path(run: Path, cell: Cell) -> Path:
    """The file of `cell` in the run folder `run`."""
    label = content_hash([cell.task, cell.instruction, cell.fewshot_seed])[:8]
    return run / "cells" / _slug(cell.task) / _slug(cell.group) / f"{cell.identity}-{label}.parquet"


def stored_cells(run: Path, settings: Mapping[str, Any], cells: Sequence[Cell]) -> set[Cell]:
    """Which of `cells` the run folder holds, under any name. Writes nothing.

    Raises:
        RunError: the folder belongs to a run with other settings, or a cell's file is damaged.
    """
    if not (run / RUN_FILE).exists():
        return set()
    require_same(run, read_run_file(run)["settings"], settings)
    return {cell for cell in cells if _find(run, cell) is not None}


def stored_examples(run: Path, cell: Cell) -> set[str]:
    """The examples of a cell that the run folder holds in parts or in the whole of it, under any name."""
    ids: set[str] = set()
    for path in _kin(run, cell):
        ids.update(pq.read_table(path, columns=["example_id"])["example_id"].to_pylist())
    return ids


def check_cell(path: Path, identity: str) -> None:
    """Raise a `RunError` unless `path` is a whole cell file of that identity."""
    found = (_metadata(path).get(IDENTITY_KEY) or b"").decode()
    if found != identity:
        raise _damaged(path, f"it holds the cell {found or 'without an identity'}, not the one its name says")


def read_usage(path: Path) -> Usage:
    """What the cell in `path` cost."""
    return Usage(**json.loads(_metadata(path).get(USAGE_KEY) or b"{}"))


def _metadata(path: Path) -> dict[bytes, bytes]:
    try:
        return pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, str(error).splitlines()[0]) from None


def _damaged(path: Path, reason: str) -> RunError:
    return RunError(
        f"a cell file is damaged: {reason.rstrip('.')}",
        where=str(path),
        hint="Delete it and evaluate again to compute that cell anew",
    )


def _slot(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("task", "instruction", "group", "num_fewshot", "fewshot_seed", "scoring", "metric")
    return tuple(cell[name] for name in names)


def _is_other(cell: Mapping[str, Any], planned: Mapping[str, Any]) -> bool:
    """Whether two cells are no parts of one: a part's identity is the whole cell's, `_`, and its own."""
    one, other = (str(each["identity"]).partition("_")[0] for each in (cell, planned))
    return one != other


def _slug(text: str) -> str:
    """A folder name for any text: readable, and different for different texts."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip(".")[:80]
    return slug if slug == text else f"{slug}-{content_hash(text)[:8]}"


def _find(run: Path, cell: Cell) -> Path | None:
    """The file with the cell's outcomes: its own, or that of a cell with another name and the same identity."""
    path = cell_path(run, cell)
    twins = () if path.exists() else sorted(path.parent.parent.glob(f"*/{cell.identity}-*.parquet"))
    for found in (path,) if path.exists() else twins:
        check_cell(found, cell.identity)
        return found
    return None


def _kin(run: Path, cell: Cell) -> list[Path]:
    """The files with outcomes of the same wording on the same task: the whole cell, and parts of it."""
    whole = cell.identity.partition("_")[0]
    # A whole cell's file is IDENTITY-LABEL.parquet, a part's IDENTITY_SUBSET-LABEL.parquet.
    return sorted(cell_path(run, cell).parent.parent.glob(f"*/{whole}[_-]*.parquet"))


def _acquire(lock: FileLock, *, timeout_s: float) -> None:
    try:
        lock.acquire(timeout=timeout_s)
    except Timeout:
        raise
    except OSError as error:
        raise RunError(f"cannot be written: {error.strerror or error}", where=str(lock.lock_file)) from None


def _write_parquet(path: Path, table: pa.Table) -> None:
    with replacing(path, error=RunError) as temporary:
        pq.write_table(table, temporary, compression="zstd")
