"""A project's SQLite database: connections in WAL mode, transactions, and numbered migrations.

Nothing in here knows what the tables mean; `store.py` does.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from phraseproof.errors import CollectError

APPLICATION_ID = 0x50504331
"""Marks a SQLite file as a project's database (`PPC1`)."""

BUSY_SECONDS = 30.0
"""How long a transaction waits for another process's."""

SYNCHRONOUS = "FULL"
"""When SQLite waits for the disk: a commit is there when it returns, also after a power cut."""


class UnusableDatabaseError(CollectError):
    """The database cannot be read or written now: locked for too long, on a full disk, gone, or damaged."""


_MIGRATIONS = Path(__file__).with_name("migrations")


def shipped_migrations() -> tuple[str, ...]:
    """The SQL of every migration; the first one makes an empty database one of version 1."""
    return tuple(path.read_text(encoding="utf-8") for path in sorted(_MIGRATIONS.glob("[0-9]*.sql")))


def backups_of(path: Path) -> list[Path]:
    """The copies of a database that migrations left next to it."""
    return sorted(path.parent.glob(f"{path.stem}.version-*{path.suffix}"))


class Database:
    """Connections to one file. Any number of threads and processes may use it at the same time.

    Connections that are not in use are kept for the next transaction; `close` closes them.
    """

    def __init__(self, path: Path, *, migrations: Sequence[str] | None = None) -> None:
        """Open a database, and bring one of an older version up to date; a copy of it is kept before.

        Args:
            path: the file; it is made if there is none.
            migrations: the SQL of every version; by default those that phraseproof ships.

        Raises:
            CollectError: not a project's database, one of a newer version, or a file that cannot be made.
        """
        self.path = path
        self._idle: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        self._finalizer = weakref.finalize(self, _close_all, self._idle)
        try:
            if not path.exists():
                path.touch(mode=0o600)  # SQLite gives the log the same permissions
            with closing(_connect(path)) as connection:
                _migrate(connection, path, shipped_migrations() if migrations is None else migrations)
        except (sqlite3.Error, OSError) as error:
            raise _unusable(path, error) from None

    def close(self) -> None:
        """Close the connections that are not in use. The next transaction opens a new one."""
        _close_all(self._idle)

    @contextmanager
    def read(self) -> Generator[sqlite3.Connection]:
        """A connection that sees one state of the database, whatever others write meanwhile."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection]:
        """A connection that no other writes next to. What the block did is on disk when it ends, or nothing is."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def vacuum(self) -> None:
        """Rewrite the file without what was deleted, and empty its log.

        Raises:
            CollectError: another process reads the database all the time, so that its log cannot be emptied.
        """
        with self._connection() as connection:
            connection.execute("VACUUM")
            is_busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if is_busy:
            raise CollectError(
                "what was deleted is still in the database's log, which another process reads",
                where=str(self.path),
                hint="The log is emptied when all processes have ended",
            )

    @contextmanager
    def _transaction(self, begin: str) -> Generator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _connection(self) -> Generator[sqlite3.Connection]:
        try:
            try:
                connection = self._idle.get_nowait()
            except Empty:
                connection = _connect(self.path)
            try:
                yield connection
            finally:
                if connection.in_transaction:  # its ROLLBACK failed: not fit for another transaction
                    connection.close()
                else:
                    self._idle.put(connection)
        except sqlite3.Error as error:
            raise _unusable(self.path, error) from error


def _connect(path: Path) -> sqlite3.Connection:
    # A connection is used by one thread at a time, not always the same.
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {SYNCHRONOUS}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    return connection


def _close_all(idle: SimpleQueue[sqlite3.Connection]) -> None:
    with suppress(Empty):
        while True:
            idle.get_nowait().close()


def _unusable(path: Path, error: Exception) -> UnusableDatabaseError:
    return UnusableDatabaseError(f"the project's database cannot be used: {error}", where=str(path))


# ---------------------------------------------------------------------------------------------------------- migrations


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    if _version(connection, path, len(migrations)) == len(migrations):
        return
    # The lock comes first: of two processes that open an old database, one brings it up to date and one waits.
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path, len(migrations))
        if 0 < version < len(migrations):
            _back_up(path, version)
        for number in range(version, len(migrations)):
            for statement in _statements(migrations[number]):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        _check_references(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _check_references(connection: sqlite3.Connection) -> None:
    if broken := connection.execute("PRAGMA foreign_key_check").fetchall():
        raise sqlite3.IntegrityError(f"a migration left {len(broken)} rows without what they refer to")


def _version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if owner != APPLICATION_ID and not is_empty:
        raise CollectError("not the database of a collecting project", where=str(path))
    if version > newest:
        raise CollectError(
            "the project's database was written by a newer version of phraseproof",
            expected=f"version {newest} or older",
            got=f"version {version}",
            where=str(path),
            hint="Update phraseproof",
        )
    return version


def _back_up(path: Path, version: int) -> None:
    """Copy a database as it is on disk, while a lock keeps others from writing."""
    target = path.with_name(f"{path.stem}.version-{version}{path.suffix}")
    target.unlink(missing_ok=True)
    target.touch(mode=0o600)
    # A connection of its own reads the last committed state.
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _statements(script: str) -> Generator[str]:
    """The statements of a script. `executescript` would commit the transaction that they belong to."""
    waiting = ""
    for part in script.split(";")[:-1]:  # what follows the last semicolon is white space and comments
        waiting += part + ";"
        if sqlite3.complete_statement(waiting):
            yield waiting
            waiting = ""
