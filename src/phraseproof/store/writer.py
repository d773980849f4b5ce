"""Writes run folders: `run.json`, and one Parquet file per complete cell.

Any process may be killed at any moment, and several processes or machines may work on one folder:

* the file of a cell is either absent or complete;
* outcomes of a cell that is not complete are in its journal (`journal.py`);
* a process computes the cells that it holds a claim on (`claims.py`), which ends when the process dies;
* `run.json` is merged under a lock and replaced in one step.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pyarrow as pa

from phraseproof.core import Cell, Outcome
from phraseproof.errors import RunError
from phraseproof.files import write_json
from phraseproof.identity import SCHEMA_VERSION
from phraseproof.store.cell_files import (
    CellFiles,
    cell_path,
    check_cell,
    read_head,
    read_table,
    slug,
    whole_identity,
    write_parquet,
)
from phraseproof.store.checksums import CHECKSUMS, checksum_of
from phraseproof.store.claims import LOCKS_FOLDER, Claims, Holder
from phraseproof.store.compaction import Compacted
from phraseproof.store.journal import StoredOutcome, append_journal, journal_path, read_journal, remove_journal
from phraseproof.store.locks import PATIENT, LockOptions, ProcessLock, Say, Wait, break_locks
from phraseproof.store.pack_keeper import PackKeeper
from phraseproof.store.packs import CellPlace
from phraseproof.store.run_file import (
    CELL_COLUMNS,
    OLDER_CELLS,
    RUN_FILE,
    EvaluatedSample,
    RunContent,
    Settings,
    edited_entries,
    entry_of,
    read_run_file,
    require_folder,
    require_growth,
    wording_keys,
    write_run_file,
)
from phraseproof.store.schema import COLUMNS, relabel, to_table, with_metadata
from phraseproof.store.stored import is_empty, stored_samples
from phraseproof.store.usage import Usage, total

__all__ = ["Edited", "RunStore", "Usage"]

_BATCH = 200
"""How many cells are synced to disk together."""


def _ignore(_message: str) -> None: ...


class Edited(NamedTuple):
    """Cells of a run that a new plan changes.

    Attributes:
        left: no longer in the run: their wording or data was edited, or their task's sample grew, and they are not in
            the plan.
        replaced: each has another cell in its place.
    """

    left: list[Cell]
    replaced: list[Cell]


class RunStore:
    """Writes a run folder.

    Args:
        path: the folder; created if it does not exist, taken over if nothing is stored in it.
        settings: the settings that all cells of the run must share, as plain JSON data.
        locking: how long other processes are waited for.
        say: receives for whom.

    Raises:
        RunError: the folder belongs to a run with other settings, is not a run folder, cannot be written, or another
            process holds it for too long.
    """

    def __init__(self, path: Path, settings: Settings, *, locking: LockOptions = PATIENT, say: Say = _ignore) -> None:
        self.path = path
        self._settings = dict(settings)
        self._locking, self._say = locking, say
        self._claims = Claims(path, locking, say)
        self._checksums: dict[str, int] = {}
        self._known_checksums: dict[str, int] = {}
        self._packs = PackKeeper(path, self.one_at_a_time, self._checksums)
        require_folder(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / LOCKS_FOLDER).mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"cannot make the run folder: {error.strerror}", where=str(path)) from None
        if locking.breaks:
            break_locks(path / LOCKS_FOLDER, say)
        with self.one_at_a_time("run"):
            for leftover in path.glob(f".{RUN_FILE}.*.tmp"):  # of killed processes: writing takes the same lock
                leftover.unlink(missing_ok=True)
            if (path / RUN_FILE).exists():
                content = read_run_file(path)
                self._known_checksums = content.get(CHECKSUMS, {})
                if is_empty(path, content) and content["settings"] != self._settings and not self._claims.holders():
                    self._take_over()
                else:
                    self._settings = dict(require_growth(path, content["settings"], self._settings))

    def _take_over(self) -> None:
        """Remove a run in which nothing was stored, for example because an option was wrong."""
        shutil.rmtree(self.path / "failures", ignore_errors=True)
        (self.path / RUN_FILE).unlink()

    @property
    def samples(self) -> list[EvaluatedSample]:
        """The samples of all evaluations into the folder."""
        return stored_samples(self.path)

    def register(self, cells: Sequence[Cell], record: Mapping[str, Settings]) -> Edited:
        """Add cells and their record to the run.

        A cell takes the place of an earlier one with the same task, instruction, group, shots, seed, scorer and metric:
        its wording or data was edited since, or the sample grew. Other cells of a task or wording that changed leave
        the run, since a table must not compare outcomes on different data; their files stay where they are.

        Args:
            cells: the plan.
            record: sections of `run.json` to merge key by key (`tasks`, `instructions`, `environment`, ...). An entry
                of `tasks` or `instructions` changed if its `content` differs from before.

        Returns:
            The cells that changed.
        """
        with self.one_at_a_time("run"):
            content = read_run_file(self.path) if (self.path / RUN_FILE).exists() else self._new_content()
            if cells and content["cells"] and content.get(CELL_COLUMNS) != len(COLUMNS):
                content[OLDER_CELLS] = True
            planned = {_place(cell): cell for cell in map(entry_of, cells)}
            edited = {
                name: edited_entries(content.get(name, {}), record.get(name, {})) for name in ("tasks", "instructions")
            }
            left: list[Settings] = []
            known: dict[tuple[object, ...], Settings] = {}
            for cell in content["cells"]:
                place = _place(cell)
                is_edited = cell["task"] in edited["tasks"] or not edited["instructions"].isdisjoint(
                    wording_keys(cell["task"], cell["instruction"])
                )
                if place not in planned and is_edited:
                    left.append(cell)
                else:
                    known[place] = cell
            replaced = [cell for place, cell in known.items() if place in planned and _is_other(cell, planned[place])]
            content["cells"] = list((known | planned).values())
            if cells:  # a process that began before the run grew only adds to the record
                content["settings"] = self._settings
                content[CELL_COLUMNS] = len(COLUMNS)
            for section, entries in record.items():
                content.setdefault(section, {}).update(entries)
            write_run_file(self.path, content)
        return Edited([Cell(**cell) for cell in left], [Cell(**cell) for cell in replaced])

    def finish(self, peak_rss_bytes: int) -> None:
        """Write the run's total usage over the complete cells, and their files' checksums."""
        self._packs.compact_if_many()
        with self.one_at_a_time("run"):
            content = read_run_file(self.path)
            files = self.files()
            places = [files.under_own_name(Cell(**entry)) for entry in content["cells"]]
            done = [place for place in places if place is not None]
            peak = max(peak_rss_bytes, content.get("usage", {}).get("peak_rss_bytes", 0))
            content["usage"] = {**asdict(total(map(_usage, done))), "peak_rss_bytes": peak}
            self._merge_checksums(content, (place.path for place in done if place.row_group is None))
            write_run_file(self.path, content)

    def save_checksums(self, record: Mapping[str, Settings] = MappingProxyType({})) -> None:
        """Write the checksums of the cells that this process wrote, if another process finishes the run.

        Args:
            record: as for `register`, to write at once.
        """
        if self._checksums or record:
            with self.one_at_a_time("run"):
                content = read_run_file(self.path)
                self._merge_checksums(content, ())
                for section, entries in record.items():
                    content.setdefault(section, {}).update(entries)
                write_run_file(self.path, content)

    def _merge_checksums(self, content: RunContent, done: Iterable[Path]) -> None:
        section = content.setdefault(CHECKSUMS, {})
        section.update(self._checksums)
        for path in done:  # from a process that was killed before it wrote the checksum, or from an older version
            name = path.relative_to(self.path).as_posix()
            if name not in section:
                section[name] = checksum_of(path)

    def compact(self) -> Compacted:
        """Move the files of complete cells into packs, so that a large grid is few files.

        Raises:
            RunError: a pack cannot be written, or another process compacts the folder for too long.
        """
        return self._packs.compact()

    def missing(self, cells: Iterable[Cell]) -> tuple[list[Cell], list[RunError]]:
        """The cells that are not complete, and the errors of the damaged files among them.

        Outcomes with the same identity under another name or group are adopted, not computed again.
        """
        cells = list(cells)
        lacking: list[Cell] = []
        errors = self._packs.repair({cell.task for cell in cells}, self._write)
        if errors:
            self.save_checksums()
        files = self.files()
        for cell in cells:
            try:
                if not self._has(cell, files):
                    lacking.append(cell)
            except RunError as error:
                lacking.append(cell)
                errors.append(error)
        return lacking, errors

    def has(self, cell: Cell) -> bool:
        """Whether the cell is complete and its file whole."""
        return not self.missing([cell])[0]

    def _has(self, cell: Cell, files: CellFiles) -> bool:
        found = files.of_cell(cell)
        if found is None:
            return False
        try:
            check_cell(found, cell)
            files.require_whole(found)
        except RunError:
            moved = None if found.path.exists() else files.moved(cell.task, found)
            if moved is None:
                raise
            check_cell(moved, cell)
            found = moved
        if found != files.under_own_name(cell):
            self._adopt(cell, found)
        return True

    def _adopt(self, cell: Cell, place: CellPlace) -> None:
        """Store the outcomes of another cell with the same identity under the names of `cell`."""
        cost = json.dumps(asdict(read_head(place).usage))
        self._write([(self.cell_path(cell), relabel(with_metadata(read_table(place), cell.identity, cost), cell))])

    @contextmanager
    def claim(self, cells: Sequence[Cell]) -> Generator[list[Cell]]:
        """Claim cells for the length of the block; yields those that this process computes.

        The others are complete, are computed by another process, or have the identity of a claimed cell.
        """
        first = {cell.identity: cell for cell in reversed(cells)}
        with self._claims.hold(first) as identities:
            # Checked after claiming, because an earlier holder may have completed a cell.
            lacking = set(self.missing(first[identity] for identity in identities)[0])
            self._remove_leftovers(lacking)
            yield [cell for cell in cells if cell in lacking and first[cell.identity] is cell]

    def holders(self, cells: Iterable[Cell]) -> list[Holder]:
        """The living processes that compute any of these cells."""
        return self._claims.holders({cell.identity for cell in cells})

    def wait(self, *, longest_pause_s: float) -> Wait:
        """A wait for the cells of other processes."""
        return Wait(self._locking, self._say, self.path, longest_pause_s=longest_pause_s)

    def _remove_leftovers(self, cells: Iterable[Cell]) -> None:
        """Remove half-written files of cells, which only a process that died leaves behind."""
        wanted: dict[Path, set[str]] = {}
        for cell in cells:
            wanted.setdefault(self.cell_path(cell).parent, set()).add(cell.identity)
        for folder, identities in wanted.items():
            for leftover in folder.glob(".*.tmp"):
                if leftover.name.split(".")[1] in identities:
                    leftover.unlink(missing_ok=True)

    def files(self) -> CellFiles:
        """The current index of the folder's files. Files that this process did not write are checked."""
        known = {name: checksum for name, checksum in self._known_checksums.items() if name not in self._checksums}
        return CellFiles(self.path, known, self._packs.whole)

    def append(self, cell: Cell, rows: Sequence[StoredOutcome]) -> None:
        """Store outcomes of a cell that is not complete."""
        append_journal(self._journal_path(cell), rows)

    def write(self, cell: Cell, outcomes: Sequence[Outcome], usage: Usage, *, sources: Iterable[str] = ()) -> None:
        """Store a complete cell, and remove the journals that are not needed any more.

        Args:
            cell: the cell.
            outcomes: of all its examples.
            usage: what they cost.
            sources: identities of other cells whose outcomes were used. Their journals are removed if the cell holds
                all of their examples.
        """
        self.write_table(cell, to_table(cell, outcomes, json.dumps(asdict(usage))))
        remove_journal(self._journal_path(cell))
        examples = {outcome.example_id for outcome in outcomes}
        files = CellFiles(self.path)
        for path in (path for identity in sources for path in files.journals(cell.task, identity)):
            if read_journal(path).keys() <= examples:
                remove_journal(path)

    def write_table(self, cell: Cell, table: pa.Table) -> None:
        """Store a complete cell as a table of any columns, its identity in the table's metadata."""
        self._write([(self.cell_path(cell), table)])
        self._failure_path(cell).unlink(missing_ok=True)

    def write_tables(self, tables: Iterable[tuple[Cell, pa.Table]]) -> None:
        """`write_table` for many cells, each of which takes no time to compute.

        They are synced to disk in batches: after a kill, the last batch is missing. The caller keeps other processes
        out.
        """
        left = iter(tables)
        while batch := list(islice(left, _BATCH)):
            self._remove_leftovers(cell for cell, _ in batch)
            self._write([(self.cell_path(cell), table) for cell, table in batch])
            for cell, _ in batch:
                self._failure_path(cell).unlink(missing_ok=True)

    def _write(self, files: Sequence[tuple[Path, pa.Table]]) -> None:
        for (path, _), checksum in zip(files, write_parquet(files), strict=True):
            self._checksums[path.relative_to(self.path).as_posix()] = checksum
        self._packs.wrote(len(files))

    def record_failure(self, cell: Cell, error: str, details: str) -> None:
        """Record the error of a cell; the next run tries the cell again."""
        path = self._failure_path(cell)
        write_json(path, {"cell": entry_of(cell), "error": error, "details": details}, error=RunError)

    def cell_path(self, cell: Cell) -> Path:
        """The path of the cell's file, which may not exist yet."""
        return cell_path(self.path, cell)

    def _journal_path(self, cell: Cell) -> Path:
        return journal_path(self.path, slug(cell.task), cell.identity)

    def _failure_path(self, cell: Cell) -> Path:
        return self.path / "failures" / f"{self.cell_path(cell).stem}-{slug(cell.group)}.json"

    @contextmanager
    def one_at_a_time(self, what: str) -> Generator[None]:
        """Keep other processes that work on this folder out of blocks of the same name."""
        lock = ProcessLock(self.path / LOCKS_FOLDER / f"{what}.lock")
        lock.acquire(self._locking, self._say)
        try:
            yield
        finally:
            lock.release()

    def _new_content(self) -> RunContent:
        return {"schema_version": SCHEMA_VERSION, "settings": self._settings, "cells": []}


def _usage(place: CellPlace) -> Usage:
    """The cost of a cell; zero if its file is damaged, which readers report."""
    try:
        return read_head(place).usage
    except RunError:
        return Usage()


def _place(cell: Settings) -> tuple[object, ...]:
    names = ("task", "instruction", "group", "num_fewshot", "fewshot_seed", "scoring", "metric")
    return tuple(cell[name] for name in (*names, "repeat", "option_order"))


def _is_other(cell: Settings, planned: Settings) -> bool:
    """Whether two cells belong to different whole cells."""
    return whole_identity(cell["identity"]) != whole_identity(planned["identity"])
