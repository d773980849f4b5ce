"""Answers of a server that are not in a run's outcomes yet, in one SQLite file of the run folder.

An outcome needs the answers to all options of a prompt, and outcomes are written once per second. What a kill would
lose is kept here from the moment in which it comes, and is not requested again.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import cast

from phraseproof.errors import RunError

_BUSY_TIMEOUT_S = 60.0
_TABLE = "CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, choice BLOB NOT NULL) WITHOUT ROWID"


class AnswerStore:
    """Keeps answers by their request. Several processes may use one file.

    Args:
        path: the file, created at the first answer. A file that a crash of the machine damaged is removed, and its
            answers are requested again.
        is_synced: write through to the disk, and refuse a damaged file in place of removing it: the file also says
            which requests are in batches at the server.

    Raises:
        RunError: the file cannot be read or written.
    """

    def __init__(self, path: Path, *, is_synced: bool = False) -> None:
        self.path = path
        self._is_synced = is_synced
        self._database: sqlite3.Connection | None = None
        self._used: set[bytes] = set()
        if path.exists():
            try:
                self._database = self._opened()
            except sqlite3.DatabaseError as error:
                if is_synced:
                    raise RunError(
                        f"the file of answers and batches is damaged: {error}",
                        where=str(path),
                        hint="Remove it to request again what the run folder lacks; batches at the server are then not "
                        "read",
                    ) from None
                self.remove()

    def get(self, key: bytes) -> Mapping[str, object] | None:
        """The answer to a request, unless an earlier call was given it, as a repeated question needs a new answer."""
        if self._database is None or key in self._used:
            return None
        try:
            with closing(self._database.execute("SELECT choice FROM answers WHERE key = ?", (key,))) as found:
                row: tuple[bytes] | None = found.fetchone()
            # The compressed form has a checksum: a damaged answer counts as none.
            return None if row is None else cast("dict[str, object]", json.loads(zlib.decompress(row[0])))
        except (sqlite3.DatabaseError, zlib.error, ValueError):
            return None

    def put(self, key: bytes, choice: Mapping[str, object]) -> None:
        """Keep an answer.

        Raises:
            RunError: the file cannot be written.
        """
        self.put_all([(key, choice)])

    def put_all(self, answers: Iterable[tuple[bytes, Mapping[str, object]]]) -> None:
        """Keep several answers: all of them or none.

        Raises:
            RunError: the file cannot be written.
        """
        rows = [(key, zlib.compress(json.dumps(choice).encode(), 1)) for key, choice in answers]
        try:
            database = self.database()
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?)", rows)
            database.execute("COMMIT")
        except sqlite3.DatabaseError as error:
            raise RunError(f"an answer cannot be stored: {error}", where=str(self.path)) from None

    @property
    def exists(self) -> bool:
        """Whether there is a file."""
        return self.path.exists()

    def database(self) -> sqlite3.Connection:
        """The open file."""
        if self._database is None or not self.path.exists():  # another process may have removed it at its end
            self.close()
            self._database = self._opened()
        return self._database

    def use(self, keys: set[bytes]) -> None:
        """Note that a call with these requests has ended: `get` gives their answers to no other call."""
        self._used |= keys

    def settle(self) -> None:
        """Remove the answers of calls that have ended, because the run has stored what was made of them."""
        if self._database is not None and self._used:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("DELETE FROM answers WHERE key = ?", [(key,) for key in self._used])
            self._database.execute("COMMIT")
        self._used.clear()

    def close(self) -> None:
        """Close the file; what is in it stays."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def remove(self) -> None:
        """Remove the file."""
        self.close()
        self.path.unlink(missing_ok=True)
        self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)

    def _opened(self) -> sqlite3.Connection:
        # Without `synchronous` an answer is safe from a kill of the process, not from a crash of the machine.
        database = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = TRUNCATE").close()
            database.execute(f"PRAGMA synchronous = {'FULL' if self._is_synced else 'OFF'}").close()
            database.execute(_TABLE).close()
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database


class RequestKeys:
    """Names requests of one call by their content: 16 bytes each.

    Equal requests of a call have different keys, because each may need an answer of its own (`temperature` above 0).
    """

    def __init__(self, base_url: str, path: str) -> None:
        self._place = f"{base_url}{path}\0".encode()
        self._equal: Counter[bytes] = Counter()

    def next(self, body: Mapping[str, object]) -> bytes:
        """The key of the next request."""
        content = self._place + json.dumps(body, sort_keys=True).encode()
        key = blake2b(content, digest_size=16).digest()
        self._equal[key] += 1
        number = self._equal[key]
        return key if number == 1 else blake2b(key + number.to_bytes(8, "big"), digest_size=16).digest()
