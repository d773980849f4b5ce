"""Records to rows of the database and back. Times are stored as ISO text in UTC."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from typing import Any

from phraseproof.collect.records import (
    AuditEvent,
    CollectedWording,
    Invitation,
    Project,
    ProjectTask,
    Revision,
)


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)


def stored_time(moment: datetime) -> str:
    """A time as it is stored: texts of equal length, in order of time.

    Raises:
        ValueError: a time without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"the time {moment.isoformat()} has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def write_project(connection: sqlite3.Connection, project: Project) -> None:
    """Replace what is stored of the project itself; its tasks keep their wordings."""
    connection.execute(
        "INSERT OR REPLACE INTO project VALUES (1, ?, ?, ?, ?, ?, ?)",
        (
            project.title,
            project.licence,
            json.dumps(project.languages),
            project.zero_shot,
            project.few_shot,
            project.data_dir,
        ),
    )
    kept = {task.name for task in project.tasks}
    stored = [row["name"] for row in connection.execute("SELECT name FROM tasks")]
    connection.executemany("DELETE FROM tasks WHERE name = ?", [(name,) for name in stored if name not in kept])
    connection.executemany(
        "INSERT INTO tasks VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position, "
        "source = excluded.source, description = excluded.description, worked_example = excluded.worked_example",
        [
            (task.name, position, task.source, task.description, task.worked_example)
            for position, task in enumerate(project.tasks)
        ],
    )


def read_project(connection: sqlite3.Connection) -> Project | None:
    """The project as it is stored; `None` in a database that was only just made."""
    row = connection.execute("SELECT * FROM project").fetchone()
    if row is None:
        return None
    tasks = connection.execute("SELECT * FROM tasks ORDER BY position").fetchall()
    return Project(
        title=row["title"],
        licence=row["licence"],
        tasks=tuple(
            ProjectTask(each["name"], each["source"], each["description"], each["worked_example"]) for each in tasks
        ),
        languages=tuple(json.loads(row["languages"])),
        zero_shot=row["zero_shot"],
        few_shot=row["few_shot"],
        data_dir=row["data_dir"],
    )


def invitation_from(row: sqlite3.Row) -> Invitation:
    """An invitation of its row."""
    values = _values(row, "created", "expires", "revoked", "agreed_at")
    del values["folded"]
    return Invitation(**values)


def wording_from(row: sqlite3.Row) -> CollectedWording:
    """A wording of its row."""
    values = _values(row, "created", "changed")
    values["row"] = values.pop("place")
    return CollectedWording(**values)


def revision_from(row: sqlite3.Row) -> Revision:
    """A revision of its row."""
    values = _values(row, "at")
    del values["wording_id"]
    return Revision(**values)


def event_from(row: sqlite3.Row) -> AuditEvent:
    """An audit event of its row."""
    return AuditEvent(**_values(row, "at"))


def _values(row: sqlite3.Row, *times: str) -> dict[str, Any]:
    values: dict[str, Any] = dict(row)
    return values | {key: datetime.fromisoformat(values[key]) for key in times if values[key] is not None}
