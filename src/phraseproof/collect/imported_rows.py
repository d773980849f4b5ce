"""The statements of an import, which runs within one transaction of `store.py`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from phraseproof.collect import people_rows, wording_rows
from phraseproof.collect.records import ImportCounts, Invitation, TableWording, checked_pseudonym, folded_pseudonym
from phraseproof.collect.rows import invitation_from, now
from phraseproof.collect.wording_rows import MAX_ROWS, Content, FormRow
from phraseproof.errors import CollectError


@dataclass(slots=True)
class _AuthorTable:
    """What an author has in a table: the texts, and the last row that has one."""

    contents: set[Content]
    last: int


def import_wordings(
    connection: sqlite3.Connection, wordings: Sequence[TableWording], *, licence: str, by: str
) -> ImportCounts:
    """Add wordings of a table; see `CollectStore.import_wordings`."""
    people: dict[str, Invitation] = {}
    tables: dict[FormRow, _AuthorTable] = {}
    added = authors = 0
    for wording in wordings:
        try:
            name = folded_pseudonym(wording.author)
            if name not in people:
                people[name], is_new = _author(connection, wording.author, licence, by)
                authors += is_new
            place = FormRow(people[name].id, wording.task, wording.kind, 0)
            if place not in tables:
                tables[place] = _stored(connection, place)
            added += _add(connection, place, tables[place], wording, by)
        except CollectError as error:
            raise CollectError(
                error.problem,
                expected=error.expected,
                got=error.got,
                where=wording.where,
                hint="Nothing was imported",
            ) from None
    return ImportCounts(added, len(wordings) - added, authors)


def _author(connection: sqlite3.Connection, pseudonym: str, licence: str, by: str) -> tuple[Invitation, bool]:
    """The invitation of an author, who has agreed to a licence, and whether it is new."""
    row = connection.execute("SELECT * FROM invitations WHERE folded = ?", (folded_pseudonym(pseudonym),)).fetchone()
    if row is None:  # the person has no link until the invitation is renewed
        person = people_rows.invite(connection, checked_pseudonym(pseudonym), "annotator", now(), by=by)
    else:
        person = invitation_from(row)
    if person.licence is None:
        people_rows.agree(connection, person.id, licence, by=by)
    return person, row is None


def _stored(connection: sqlite3.Connection, place: FormRow) -> _AuthorTable:
    theirs = [
        each
        for each in wording_rows.select(connection, task=place.task, invitation_id=place.invitation_id)
        if each.kind == place.kind
    ]
    return _AuthorTable(
        {Content(each.text, each.answer, each.form) for each in theirs},
        max((each.row for each in theirs if each.text), default=0),
    )


def _add(connection: sqlite3.Connection, place: FormRow, table: _AuthorTable, wording: TableWording, by: str) -> bool:
    """Store a wording in the row after those in use; False where the author has it already."""
    content = Content(wording.text, wording.answer, wording.form)
    if not content.text.strip():
        raise CollectError("the wording is empty")
    if content in table.contents:
        return False
    if table.last == MAX_ROWS:
        raise CollectError(
            f"the {place.kind} table of {wording.author} is full", expected=f"at most {MAX_ROWS} wordings per task"
        )
    table.last += 1
    saved = wording_rows.save(connection, place._replace(row=table.last), content, None, action="imported", by=by)
    wording_rows.step(connection, saved, "submitted", by=by)
    table.contents.add(content)
    return True
