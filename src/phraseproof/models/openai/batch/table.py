"""Which requests are in which batch at the server, kept in the file of answers until the batch's answers are read.

A batch passes through three states here, each written to disk before the next step: *planned* (its requests are
listed), *uploaded* (the server has the file), *submitted* (the server may compute). After a kill, a planned batch is
forgotten, a submitted one is read, and an uploaded one is searched for at the server by its file.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import NamedTuple

_BATCHES = """
CREATE TABLE IF NOT EXISTS batches (
    number INTEGER PRIMARY KEY, planned_s REAL NOT NULL, input_bytes INTEGER NOT NULL, file_id TEXT, batch_id TEXT
)
"""
_REQUESTS = """
CREATE TABLE IF NOT EXISTS batch_requests (key BLOB PRIMARY KEY, batch INTEGER NOT NULL) WITHOUT ROWID
"""


class KnownBatch(NamedTuple):
    """A batch whose answers are not read yet.

    Attributes:
        number: in this table.
        planned_s: when it was planned, in seconds since 1970.
        input_bytes: the size of its requests.
        file_id: the server's name of the file of requests; `None` before the upload has ended.
        batch_id: the server's name of the batch; `None` before the server has sent it.
    """

    number: int
    planned_s: float
    input_bytes: int
    file_id: str | None
    batch_id: str | None


class BatchTable:
    """The batches of one run folder.

    Args:
        database: gives the connection; the tables are created when they are first needed.
    """

    def __init__(self, database: Callable[[], sqlite3.Connection]) -> None:
        self._database = database
        self._exists = False

    def plan(self, keys: Sequence[bytes], input_bytes: int) -> KnownBatch:
        """Note which requests a batch is going to hold."""
        planned_s = time.time()
        database = self._ready()
        database.execute("BEGIN IMMEDIATE")
        added = database.execute("INSERT INTO batches (planned_s, input_bytes) VALUES (?, ?)", (planned_s, input_bytes))
        number = added.lastrowid or 0
        database.executemany("INSERT OR REPLACE INTO batch_requests VALUES (?, ?)", [(key, number) for key in keys])
        database.execute("COMMIT")
        return KnownBatch(number, planned_s, input_bytes, None, None)

    def uploaded(self, batch: KnownBatch, file_id: str) -> KnownBatch:
        """Note that the server has the file. From now on it may have the batch as well."""
        self._ready().execute("UPDATE batches SET file_id = ? WHERE number = ?", (file_id, batch.number))
        return batch._replace(file_id=file_id)

    def submitted(self, batch: KnownBatch, batch_id: str) -> KnownBatch:
        """Note the server's name of the batch."""
        self._ready().execute("UPDATE batches SET batch_id = ? WHERE number = ?", (batch_id, batch.number))
        return batch._replace(batch_id=batch_id)

    def forget(self, batch: KnownBatch) -> None:
        """Remove a batch whose answers are stored, or that was never submitted."""
        database = self._ready()
        database.execute("BEGIN IMMEDIATE")
        database.execute("DELETE FROM batches WHERE number = ?", (batch.number,))
        database.execute("DELETE FROM batch_requests WHERE batch = ?", (batch.number,))
        database.execute("COMMIT")

    def every(self) -> list[KnownBatch]:
        """All batches."""
        found = self._ready().execute("SELECT number, planned_s, input_bytes, file_id, batch_id FROM batches")
        with closing(found):
            return [KnownBatch(*row) for row in found]

    def holding(self, keys: Iterable[bytes]) -> dict[KnownBatch, list[bytes]]:
        """The batches that hold at least one of the requests, and which."""
        database, batches = self._ready(), {batch.number: batch for batch in self.every()}
        found: dict[KnownBatch, list[bytes]] = {}
        for key in keys if batches else ():
            row = database.execute("SELECT batch FROM batch_requests WHERE key = ?", (key,)).fetchone()
            if row is not None and row[0] in batches:
                found.setdefault(batches[row[0]], []).append(key)
        return found

    def keys_of(self, batch: KnownBatch) -> set[bytes]:
        """The requests in a batch."""
        found = self._ready().execute("SELECT key FROM batch_requests WHERE batch = ?", (batch.number,))
        with closing(found):
            return {row[0] for row in found}

    def _ready(self) -> sqlite3.Connection:
        database = self._database()
        if not self._exists:
            for table in (_BATCHES, _REQUESTS):
                database.execute(table).close()
            self._exists = True
        return database
