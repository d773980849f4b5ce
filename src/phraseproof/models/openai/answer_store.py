"""Answers of a server that are not in a run's outcomes yet, in one SQLite file of the run folder.

An outcome needs the answers to all options of a prompt, and outcomes are written once per second. What a kill would
lose is kept here from the moment in which it comes, and is not requested again.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import Counter
from collections.abc import Mapping
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

    Raises:
        RunError: the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None
        self._used: set[bytes] = set()
        if path.exists():
            try:
                self._database = self._opened()
            except sqlite3.DatabaseError:
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
        packed = zlib.compress(json.dumps(choice).encode(), 1)
        try:
            if self._database is None or not self._path.exists():  # another process may have removed it at its end
                self.close()
                self._database = self._opened()
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, packed))
        except sqlite3.DatabaseError as error:
            raise RunError(f"an answer cannot be stored: {error}", where=str(self._path)) from None

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
        self._path.unlink(missing_ok=True)
        self._path.with_name(f"{self._path.name}-journal").unlink(missing_ok=True)

    def _opened(self) -> sqlite3.Connection:
        # Without `synchronous` an answer is safe from a kill of the process, not from a crash of the machine.
        database = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = TRUNCATE").close()
            database.execute("PRAGMA synchronous = OFF").close()
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
