"""The statements of wordings and their history; each runs within a transaction of `store.py`."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from phraseproof.collect.people_rows import invitation
from phraseproof.collect.records import SHOTS, Action, CollectedWording, Form, Shots, Status
from phraseproof.collect.rows import now, stored_time, wording_from
from phraseproof.errors import CollectError

MAX_CHARACTERS = 20_000
"""The maximum length of a wording and of a comment."""
MAX_ROWS = 200
"""The maximum number of rows of a table."""


class FormRow(NamedTuple):
    """A row of the form: who writes, the task, the table, and the row from 1."""

    invitation_id: str
    task: str
    kind: Shots
    row: int


class Content(NamedTuple):
    """What a wording says, and how."""

    text: str
    answer: str | None
    form: Form


def select(
    connection: sqlite3.Connection,
    *,
    wording_id: str | None = None,
    task: str | None = None,
    invitation_id: str | None = None,
    status: str | None = None,
) -> tuple[CollectedWording, ...]:
    """Wordings that meet all conditions given, by task, table, author and row."""
    query = """
        SELECT wordings.* FROM wordings
        JOIN tasks ON tasks.name = wordings.task JOIN invitations ON invitations.id = wordings.invitation_id
        WHERE (:wording_id IS NULL OR wordings.id = :wording_id) AND (:task IS NULL OR task = :task)
            AND (:invitation_id IS NULL OR invitation_id = :invitation_id) AND (:status IS NULL OR status = :status)
        ORDER BY tasks.position, kind DESC, invitations.created, invitations.rowid, place
    """
    values = {"wording_id": wording_id, "task": task, "invitation_id": invitation_id, "status": status}
    return tuple(map(wording_from, connection.execute(query, values)))


def save(
    connection: sqlite3.Connection,
    place: FormRow,
    content: Content,
    base: int | None,
    *,
    action: Action = "saved",
    by: str | None = None,
) -> CollectedWording:
    """Store what an annotator wrote, or (`action`) what was written elsewhere; see `CollectStore.save`."""
    invitation(connection, place.invitation_id)
    _check_place(connection, place)
    _check_length(content.text)
    _check_length(content.answer or "")
    if not content.text.strip():
        content = content._replace(text="")
    row = connection.execute(
        "SELECT * FROM wordings WHERE invitation_id = ? AND task = ? AND kind = ? AND place = ?", place
    ).fetchone()
    if row is None:
        return _insert(connection, place, content, base, action=action, by=by)
    wording = wording_from(row)
    if (wording.text, wording.answer, wording.form) == content:
        return wording
    if wording.status == "accepted":
        raise CollectError("an accepted wording cannot be changed", hint="Ask the owner to return it")
    status: Status = "returned" if wording.status == "returned" else "draft"
    return _update(
        connection, wording, content, status=status, comment=wording.comment, action=action, by=by, base=base
    )


def edit(connection: sqlite3.Connection, wording: CollectedWording, content: Content, *, by: str) -> CollectedWording:
    """Store what a reviewer wrote; the status stays."""
    _check_length(content.text)
    _check_length(content.answer or "")
    if not content.text.strip():
        raise CollectError("an edited wording needs a text", hint="Return the wording to its author instead")
    if (wording.text, wording.answer, wording.form) == content:
        return wording
    return _update(connection, wording, content, status=wording.status, comment=wording.comment, action="edited", by=by)


def step(
    connection: sqlite3.Connection, wording: CollectedWording, action: Status, *, by: str, comment: str = ""
) -> CollectedWording:
    """Store one step of the review: the wording's new status."""
    assert action != "draft"
    _check_length(comment)
    content = Content(wording.text, wording.answer, wording.form)
    return _update(connection, wording, content, status=action, comment=comment, action=action, by=by)


def under_review(
    connection: sqlite3.Connection, wording_id: str, statuses: Set[Status], revision: int | None
) -> CollectedWording:
    """A wording that has one of the statuses, and no later revision than the one given.

    Raises:
        CollectError: otherwise.
    """
    found = select(connection, wording_id=wording_id)
    if not found:
        raise CollectError(f"there is no wording {wording_id!r}")
    wording = found[0]
    if wording.status not in statuses:
        raise CollectError(
            "the wording cannot be reviewed now",
            expected=" or ".join(sorted(statuses)),
            got=wording.status,
            where=wording_id,
        )
    if revision is not None and wording.revision != revision:
        raise CollectError("the wording was changed meanwhile", where=wording_id, hint="Read it again, then decide")
    return wording


def written(connection: sqlite3.Connection) -> dict[str, datetime]:
    """When each wording got its present text: reviews that change no text do not count."""
    query = """
        SELECT wording_id, at, max(number) FROM revisions
        WHERE action IN ('saved', 'edited', 'imported') GROUP BY wording_id
    """
    return {row["wording_id"]: datetime.fromisoformat(row["at"]) for row in connection.execute(query)}


def counts(connection: sqlite3.Connection) -> dict[tuple[str, str, Status], int]:
    """Wordings with text, by author, task and status."""
    query = "SELECT invitation_id, task, status, count(*) AS n FROM wordings WHERE text <> '' GROUP BY 1, 2, 3"
    return {(row["invitation_id"], row["task"], row["status"]): row["n"] for row in connection.execute(query)}


def everything(connection: sqlite3.Connection, of: str | None) -> dict[str, object]:
    """Every table as plain data, without the parts of links; see `CollectStore.everything`."""
    project = dict(connection.execute("SELECT * FROM project").fetchone())
    del project["id"]
    project["languages"] = json.loads(project["languages"])
    if of is not None:
        invitation(connection, of)
    whose = {"of": of}
    people = _plain(
        connection, "SELECT * FROM invitations WHERE :of IS NULL OR id = :of ORDER BY created, rowid", whose
    )
    for person in people:
        del person["token_id"], person["folded"]
    wordings = _plain(
        connection, "SELECT * FROM wordings WHERE :of IS NULL OR invitation_id = :of ORDER BY created, rowid", whose
    )
    histories: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for revision in _plain(connection, "SELECT * FROM revisions ORDER BY wording_id, number"):
        histories[revision.pop("wording_id")].append(revision)
    for wording in wordings:
        wording["row"] = wording.pop("place")
        wording["history"] = histories[wording["id"]]
    return {
        "format": 1,
        "project": project,
        "tasks": _plain(connection, "SELECT * FROM tasks ORDER BY position"),
        "invitations": people,
        "wordings": wordings,
        "events": _plain(
            connection,
            "SELECT * FROM events WHERE :of IS NULL OR by = :of OR subject = :of "
            "OR subject IN (SELECT id FROM wordings WHERE invitation_id = :of) ORDER BY rowid",
            whose,
        ),
    }


# ----------------------------------------------------------------------------------------------------------------------


def _check_place(connection: sqlite3.Connection, place: FormRow) -> None:
    if place.kind not in SHOTS:
        raise CollectError(f"there is no table {place.kind!r}", expected=" or ".join(SHOTS))
    if not 1 <= place.row <= MAX_ROWS:
        raise CollectError("there is no such row", expected=f"1 to {MAX_ROWS}", got=str(place.row))
    if connection.execute("SELECT 1 FROM tasks WHERE name = ?", (place.task,)).fetchone() is None:
        known = [row["name"] for row in connection.execute("SELECT name FROM tasks ORDER BY position")]
        raise CollectError(f"the project has no task {place.task!r}", expected=f"one of: {', '.join(known)}")


def _check_length(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise CollectError("the text is too long", expected=f"at most {MAX_CHARACTERS} characters", got=str(len(text)))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise CollectError("the text holds half of a character (a lone surrogate)", got=repr(text[:40])) from None


def _insert(
    connection: sqlite3.Connection,
    place: FormRow,
    content: Content,
    base: int | None,
    *,
    action: Action,
    by: str | None,
) -> CollectedWording:
    moment = now()
    wording = CollectedWording(
        id=secrets.token_hex(8),
        **place._asdict(),
        **content._asdict(),
        status="draft",
        comment="",
        revision=1,
        created=moment,
        changed=moment,
    )
    connection.execute(
        "INSERT INTO wordings VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'draft', '', 1, ?, ?)",
        (wording.id, *place, *content, stored_time(moment), stored_time(moment)),
    )
    _add_revision(connection, wording, action, by=place.invitation_id if by is None else by, base=base)
    return wording


def _update(
    connection: sqlite3.Connection,
    wording: CollectedWording,
    content: Content,
    *,
    status: Status,
    comment: str,
    action: Action,
    by: str | None = None,
    base: int | None = None,
) -> CollectedWording:
    changed = now()
    values: dict[str, Any] = {"status": status, "comment": comment, "revision": wording.revision + 1}
    connection.execute(
        "UPDATE wordings SET text = :text, answer = :answer, form = :form, status = :status, comment = :comment, "
        "revision = :revision, changed = :changed WHERE id = :id",
        {**content._asdict(), **values, "changed": stored_time(changed), "id": wording.id},
    )
    updated = replace(wording, **content._asdict(), **values, changed=changed)
    _add_revision(connection, updated, action, by=wording.invitation_id if by is None else by, base=base)
    return updated


def _add_revision(
    connection: sqlite3.Connection, wording: CollectedWording, action: Action, *, by: str, base: int | None
) -> None:
    content = (wording.text, wording.answer, wording.form, wording.comment)
    connection.execute(
        "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (wording.id, wording.revision, action, *content, by, stored_time(wording.changed), base),
    )


def _plain(
    connection: sqlite3.Connection, query: str, values: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query, values or {})]
