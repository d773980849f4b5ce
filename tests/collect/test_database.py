"""The database: migrations keep content, other files are refused, transactions are whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from phraseproof.collect import database as module
from phraseproof.collect.database import Database, backups_of, shipped_migrations
from phraseproof.collect.store import DATABASE, CollectStore
from phraseproof.errors import CollectError
from support.collecting import LATER, project_with, small_project

NEXT = (
    "ALTER TABLE invitations ADD COLUMN note TEXT NOT NULL DEFAULT 'none; really';\nUPDATE project SET title = 'New';"
)


def _contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def test_an_older_database_is_brought_up_to_date_with_its_content(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    store.save(ada.id, "teams", "zero-shot", 1, "Which team?", answer=None, base=None)
    store.close()
    path = tmp_path / DATABASE
    before = _contents(path)
    Database(path, migrations=(*shipped_migrations(), NEXT)).close()
    after = _contents(path)
    assert after["wordings"] == before["wordings"] != []
    assert after["revisions"] == before["revisions"]
    assert after["project"][0][1] == "New"
    assert [row[-1] for row in after["invitations"]] == ["none; really"]
    # A copy of the database as it was is kept, and this version refuses the newer one.
    (copy,) = backups_of(path)
    assert _contents(copy) == before
    assert [each.stat().st_mode & 0o777 for each in (path, copy)] == [0o600, 0o600]
    with pytest.raises(CollectError, match=r"newer version.*expected version 1 or older, got version 2"):
        CollectStore.open(tmp_path)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    CollectStore.create(tmp_path, small_project()).close()
    path = tmp_path / DATABASE
    before = _contents(path)
    for script in ("UPDATE project SET title = 'New'; DROP TABLE nothing;", "DELETE FROM tasks; SELECT raise();"):
        with pytest.raises(CollectError, match="cannot be used"):
            Database(path, migrations=(*shipped_migrations(), script))
        assert _contents(path) == before
    assert CollectStore.open(tmp_path).project == small_project()


def test_a_migration_must_leave_whole_references(tmp_path: Path) -> None:
    store, (ada,) = project_with(tmp_path, "Ada")
    store.save(ada.id, "teams", "zero-shot", 1, "Which team?", answer=None, base=None)
    store.close()
    reference = "REFERENCES tasks (name) DEFERRABLE INITIALLY DEFERRED"
    lost = f"CREATE TABLE log (task TEXT {reference}); INSERT INTO log VALUES ('x');"
    with pytest.raises(CollectError, match="a migration left 1 rows without what they refer to"):
        Database(tmp_path / DATABASE, migrations=(*shipped_migrations(), lost))


def test_other_files_are_refused_unchanged(tmp_path: Path) -> None:
    other = tmp_path / DATABASE
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE mine (a)")
    with pytest.raises(CollectError, match="not the database of a collecting project"):
        CollectStore.open(tmp_path)
    assert list(_contents(other)) == ["mine"]
    other.write_text("no database at all, but a text that is long enough to be read as a header" * 10)
    with pytest.raises(CollectError, match="file is not a database"):
        CollectStore.open(tmp_path)
    with pytest.raises(CollectError, match="no collecting project is here"):
        CollectStore.open(tmp_path / "nothing")


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "x.sqlite", migrations=("CREATE TABLE t (a);",))

    def fail() -> None:
        with database.write() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone()[0] == 0
    with database.read() as reader, database.write() as writer:
        assert reader.execute("SELECT count(*) FROM t").fetchone()[0] == 0
        writer.execute("INSERT INTO t VALUES (2)")
        assert reader.execute("SELECT count(*) FROM t").fetchone()[0] == 0  # one state, whatever others write
    database.close()
    with database.read() as connection:
        assert connection.execute("SELECT a FROM t").fetchone()[0] == 2
    database.close()


def test_a_log_that_cannot_be_emptied_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    store, (ada,) = project_with(tmp_path, "Ada")
    with Database(tmp_path / DATABASE).read() as reader:
        assert reader.execute("SELECT count(*) FROM invitations").fetchone()[0] == 1
        with pytest.raises(CollectError, match="still in the database's log"):
            store.delete_person(ada.id)
    assert store.invitations() == ()
    store.close()


def test_the_log_holds_what_a_checkpoint_has_not_written(tmp_path: Path) -> None:
    store = CollectStore.create(tmp_path, small_project())
    store.invite("Ada", expires=LATER)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert {each.stat().st_mode & 0o777 for each in tmp_path.glob(f"{DATABASE}*")} == {0o600}
    store.close()
    with pytest.raises(CollectError, match="cannot be used"):
        Database(tmp_path / "none" / "x.sqlite")
