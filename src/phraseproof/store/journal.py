"""Outcomes of cells that are not complete yet, appended as they come: `journal/TASK/IDENTITY.jsonl` in a run folder.

A kill may cut the last line, and later lines are appended after it. Therefore every block begins with a line end, and
every line has a checksum: an incomplete line is skipped, and its example is computed again.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Outcome
from phraseproof.errors import RunError
from phraseproof.files import read_bytes
from phraseproof.store.schema import TUPLES
from phraseproof.store.usage import Usage

JOURNAL_SUFFIX = ".jsonl"
_FOLDER = "journal"
# `mkdir` says that a folder exists which is removed before it is looked at.
_FOLDER_VANISHED = (FileNotFoundError, FileExistsError)
_TRIALS = 100
_OUTCOME_FIELDS = tuple(field.name for field in fields(Outcome))
_USAGE_FIELDS = tuple(field.name for field in fields(Usage))


class StoredOutcome(NamedTuple):
    """An outcome and what computing it cost."""

    outcome: Outcome
    usage: Usage


def journal_path(run: Path, task_folder: str, identity: str) -> Path:
    """The journal of a cell in the run folder `run`; `task_folder` is the folder name of its task."""
    return run / _FOLDER / task_folder / f"{identity}{JOURNAL_SUFFIX}"


def append_journal(path: Path, rows: Iterable[StoredOutcome]) -> None:
    """Append outcomes. The file is closed afterwards, so that any number of cells can have a journal.

    Raises:
        RunError: it cannot be written.
    """
    text = "\n" + "".join(map(_line, rows))
    for trial in range(_TRIALS):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8", errors="surrogatepass") as file:
                file.write(text)
        except OSError as error:
            # Another process may have removed the folder, empty as it was, before the file was in it.
            if not isinstance(error, _FOLDER_VANISHED) or trial == _TRIALS - 1:
                raise RunError(f"cannot be written: {error.strerror or error}", where=str(path)) from None
        else:
            return


def read_journal(path: Path) -> dict[str, StoredOutcome]:
    """The outcomes in a journal, by example; none if the file was removed in the meantime."""
    found: dict[str, StoredOutcome] = {}
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        return found
    except OSError as error:
        raise RunError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    for line in content.split(b"\n"):
        if (row := _row(line)) is not None:
            found[row.outcome.example_id] = row
    return found


def remove_journal(path: Path) -> None:
    """Remove the journal of a cell that is complete, and its folder if it was the last one."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
        path.parent.rmdir()
        path.parent.parent.rmdir()


def _line(row: StoredOutcome) -> str:
    # `asdict` copies each value, which takes as long as all of the rest.
    outcome = {name: getattr(row.outcome, name) for name in _OUTCOME_FIELDS}
    values = [outcome, {name: getattr(row.usage, name) for name in _USAGE_FIELDS}]
    # json.dumps writes ASCII and escapes line ends, so that any text of a model stays on one line.
    body = json.dumps(values)
    return f"{zlib.crc32(body.encode()):08x} {body}\n"


def _row(line: bytes) -> StoredOutcome | None:
    checksum, _, body = line.partition(b" ")
    if not body or checksum != f"{zlib.crc32(body):08x}".encode():
        return None
    outcome, usage = json.loads(body)
    for name in TUPLES:
        outcome[name] = tuple(outcome.get(name, ()))
    return StoredOutcome(Outcome(**outcome), Usage(**usage))
