"""A collecting project on disk: every change is one transaction, every text is kept in a history.

The SQL of the project is here and in `rows.py`, `people_rows.py`, `wording_rows.py` and `imported_rows.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from phraseproof.collect import imported_rows, people_rows, wording_rows
from phraseproof.collect.database import Database, backups_of
from phraseproof.collect.records import (
    STATUSES,
    AnnotatorProgress,
    AuditEvent,
    CollectedWording,
    Form,
    ImportCounts,
    Invitation,
    Project,
    Revision,
    Role,
    Shots,
    Status,
    TableWording,
    checked_pseudonym,
    folded_pseudonym,
)
from phraseproof.collect.rows import event_from, invitation_from, read_project, revision_from, write_project
from phraseproof.errors import CollectError

DATABASE = "collect.sqlite"
"""The file of the project's database, in its folder."""

DELETED = "deleted"
"""What histories say in place of a person whose data was deleted."""


class CollectStore:
    """A project in a folder. Threads and processes may use it at the same time, with one store or several.

    Every method is one transaction: it is on disk when it returns, or it did nothing.
    """

    def __init__(self, folder: Path, database: Database, project: Project) -> None:
        self.folder = folder
        self.project = project
        self._database = database

    @classmethod
    def create(cls, folder: Path, project: Project) -> CollectStore:
        """Make a project.

        Raises:
            CollectError: the folder holds one already, or cannot be made.
        """
        path = folder / DATABASE
        if path.exists():
            raise CollectError("the folder holds a project already", where=str(folder))
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CollectError(f"cannot be made: {error.strerror or error}", where=str(folder)) from None
        database = Database(path)
        with database.write() as connection:
            if read_project(connection) is not None:
                raise CollectError("the folder holds a project already", where=str(folder))
            write_project(connection, project)
            people_rows.note_event(connection, "", "created", "", project.title)
        return cls(folder, database, project)

    @classmethod
    def open(cls, folder: Path) -> CollectStore:
        """Open a project; a database of an older version is brought up to date.

        Raises:
            CollectError: no project is there, or a newer version of phraseproof wrote it.
        """
        path = folder / DATABASE
        if not path.is_file():
            raise CollectError(
                "no collecting project is here",
                expected=f"a folder with {DATABASE}",
                where=str(folder),
                hint="`phraseproof collect serve TASK... --out FOLDER` makes one",
            )
        database = Database(path)
        with database.read() as connection:
            project = read_project(connection)
        if project is None:
            raise CollectError(
                "the project was never finished being made", where=str(folder), hint=f"Delete {DATABASE}"
            )
        return cls(folder, database, project)

    def close(self) -> None:
        """Close the database's connections. The store can be used again."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def change_project(self, project: Project, *, by: str = "") -> None:
        """Change title, licence, tasks or numbers. Who has agreed to an earlier licence keeps that one.

        Raises:
            CollectError: a task that has wordings would be left out.
        """
        kept = {task.name for task in project.tasks}
        with self._database.write() as connection:
            used = {row["task"] for row in connection.execute("SELECT DISTINCT task FROM wordings")}
            if lost := sorted(used - kept):
                raise CollectError(f"the task {lost[0]!r} has wordings, so it cannot be left out")
            write_project(connection, project)
            people_rows.note_event(connection, by, "changed the project", "", project.title)
        self.project = project

    # ------------------------------------------------------------------------------------------------------ invitations

    def invite(self, pseudonym: str, *, expires: datetime, role: Role = "annotator", by: str = "") -> Invitation:
        """Invite a person.

        Args:
            pseudonym: how the person is called everywhere; unique, whatever the case of its letters.
            expires: when the link stops; with a time zone.
            role: what the person may do.
            by: who invites, for the record.

        Raises:
            CollectError: the pseudonym is taken, empty, too long or not printable.
        """
        return self.invite_all([pseudonym], expires=expires, role=role, by=by)[0]

    def invite_all(
        self, pseudonyms: Sequence[str], *, expires: datetime, role: Role = "annotator", by: str = ""
    ) -> tuple[Invitation, ...]:
        """Invite several people, or no one if one of them cannot be invited; see `invite`."""
        names = [checked_pseudonym(each) for each in pseudonyms]
        with self._database.write() as connection:
            return tuple(people_rows.invite(connection, name, role, expires, by=by) for name in names)

    def renew(self, invitation_id: str, *, expires: datetime, by: str = "") -> Invitation:
        """Give an invitation a new link and a new end; the old link stops. A revoked invitation is valid again."""
        with self._database.write() as connection:
            return people_rows.renew(connection, invitation_id, expires, by=by)

    def invitation(self, invitation_id: str) -> Invitation | None:
        """An invitation by its id, or `None`."""
        with self._database.read() as connection:
            row = connection.execute("SELECT * FROM invitations WHERE id = ?", (invitation_id,)).fetchone()
        return None if row is None else invitation_from(row)

    def invitation_called(self, pseudonym: str) -> Invitation:
        """An invitation by its pseudonym, whatever the case of its letters.

        Raises:
            CollectError: no one is called so.
        """
        known = {folded_pseudonym(each.pseudonym): each for each in self.invitations()}
        found = known.get(folded_pseudonym(pseudonym.strip()))
        if found is None:
            names = ", ".join(each.pseudonym for each in known.values())
            raise CollectError(f"no one is called {pseudonym!r}", expected=f"one of: {names}" if names else None)
        return found

    def invitations(self) -> tuple[Invitation, ...]:
        """All invitations, in the order in which they were made."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT * FROM invitations ORDER BY created, rowid").fetchall()
        return tuple(map(invitation_from, rows))

    def revoke(self, invitation_id: str, *, by: str = "") -> None:
        """Stop a link. The person's wordings stay.

        Raises:
            CollectError: no such invitation.
        """
        with self._database.write() as connection:
            people_rows.revoke(connection, invitation_id, by=by)

    def agree(self, invitation_id: str, licence: str, *, by: str | None = None) -> None:
        """Note that a person agrees to a licence, and to which text. The first agreement to a text counts.

        Args:
            invitation_id: the person.
            licence: the text.
            by: who says so; by default the person.

        Raises:
            CollectError: no such invitation.
        """
        with self._database.write() as connection:
            people_rows.agree(connection, invitation_id, licence, by=by or invitation_id)

    # --------------------------------------------------------------------------------------------------------- wordings

    def save(
        self,
        invitation_id: str,
        task: str,
        kind: Shots,
        row: int,
        text: str,
        *,
        answer: str | None,
        base: int | None,
        form: Form = "ask",
    ) -> CollectedWording:
        """Save a wording as it is now. The last writer wins; what others wrote stays in the history.

        Saving the same again changes nothing. A submitted wording that is changed becomes a draft again; a returned one
        stays returned until it is submitted.

        Args:
            invitation_id: who writes.
            task, kind, row: the place in the form; rows count from 1.
            text: an ask or a template; empty clears the row.
            answer: the answer form; see `CollectedWording`.
            base: the number of the revision that the writer saw; `None` for a new row.
            form: what the text is.

        Raises:
            CollectError: no such invitation, task or row; the text is too long; or the wording is accepted.
        """
        place = wording_rows.FormRow(invitation_id, task, kind, row)
        with self._database.write() as connection:
            return wording_rows.save(connection, place, wording_rows.Content(text, answer, form), base)

    def wording(self, wording_id: str) -> CollectedWording | None:
        """A wording by its id, or `None`."""
        with self._database.read() as connection:
            return next(iter(wording_rows.select(connection, wording_id=wording_id)), None)

    def wordings(
        self, *, task: str | None = None, invitation_id: str | None = None, status: Status | None = None
    ) -> tuple[CollectedWording, ...]:
        """Wordings by task, table, author (in order of invitation) and row; also rows that were cleared."""
        with self._database.read() as connection:
            return wording_rows.select(connection, task=task, invitation_id=invitation_id, status=status)

    def import_wordings(self, wordings: Sequence[TableWording], *, licence: str, by: str = "import") -> ImportCounts:
        """Add wordings from elsewhere in the next free rows, submitted for review: all of them, or none.

        What an author has in a table already is not added again.

        Args:
            wordings: of a table without problems; authors who are not known are invited, without a link that works.
            licence: what the authors agreed to; it is noted for authors of whom no agreement is known.
            by: who imports, for the record.

        Raises:
            CollectError: a wording is too long, or an author's table would be full; says which.
        """
        with self._database.write() as connection:
            return imported_rows.import_wordings(connection, wordings, licence=licence, by=by)

    def submit(self, invitation_id: str, task: str) -> tuple[CollectedWording, ...]:
        """Submit a person's drafts and returned wordings of a task for review; rows without text are left out.

        Returns:
            What was submitted by this call.

        Raises:
            CollectError: no such invitation, or the person has not agreed to the licence.
        """
        with self._database.write() as connection:
            person = people_rows.invitation(connection, invitation_id)
            if person.agreed_at is None:
                raise CollectError(f"{person.pseudonym!r} has not agreed to the licence")
            waiting = wording_rows.select(connection, task=task, invitation_id=invitation_id)
            return tuple(
                wording_rows.step(connection, each, "submitted", by=invitation_id)
                for each in waiting
                if each.status in {"draft", "returned"} and each.text.strip()
            )

    def accept(self, wording_id: str, *, by: str, revision: int | None = None) -> CollectedWording:
        """Accept a submitted wording. Accepting it again changes nothing.

        Args:
            wording_id: the wording.
            by: who reviews.
            revision: the revision that the reviewer saw; `None` accepts the last one.

        Raises:
            CollectError: no such wording, it is not submitted, or it was changed since `revision`.
        """
        with self._database.write() as connection:
            wording = wording_rows.under_review(connection, wording_id, {"submitted", "accepted"}, revision)
            return (
                wording if wording.status == "accepted" else wording_rows.step(connection, wording, "accepted", by=by)
            )

    def send_back(self, wording_id: str, comment: str, *, by: str, revision: int | None = None) -> CollectedWording:
        """Return a submitted or accepted wording to its author, with a comment. Raises as `accept` does."""
        with self._database.write() as connection:
            wording = wording_rows.under_review(connection, wording_id, {"submitted", "accepted", "returned"}, revision)
            return wording_rows.step(connection, wording, "returned", by=by, comment=comment)

    def edit(
        self,
        wording_id: str,
        text: str,
        *,
        by: str,
        answer: str | None = None,
        form: Form | None = None,
        revision: int | None = None,
    ) -> CollectedWording:
        """Change the text of a wording under review; the author's text stays in the history.

        Args:
            wording_id: the wording, which is not a draft.
            text, by: the new text, and who reviews.
            answer, form: the new ones; `None` leaves them unchanged.
            revision: as in `accept`.

        Raises:
            CollectError: as `accept`, or the text is too long or empty.
        """
        with self._database.write() as connection:
            wording = wording_rows.under_review(connection, wording_id, {"submitted", "accepted", "returned"}, revision)
            content = wording_rows.Content(text, answer or wording.answer, form or wording.form)
            return wording_rows.edit(connection, wording, content, by=by)

    def history(self, wording_id: str) -> tuple[Revision, ...]:
        """Every revision of a wording, the first one first; empty for an unknown wording."""
        query = "SELECT * FROM revisions WHERE wording_id = ? ORDER BY number"
        with self._database.read() as connection:
            return tuple(map(revision_from, connection.execute(query, (wording_id,))))

    def written(self) -> dict[str, datetime]:
        """When each wording, by its id, got its present text."""
        with self._database.read() as connection:
            return wording_rows.written(connection)

    def progress(self) -> tuple[AnnotatorProgress, ...]:
        """How far every annotator is with every task, by invitation and task."""
        with self._database.read() as connection:
            counts = wording_rows.counts(connection)
        asked = self.project.zero_shot + self.project.few_shot
        return tuple(
            AnnotatorProgress(
                person.id,
                person.pseudonym,
                task.name,
                **{status: counts.get((person.id, task.name, status), 0) for status in STATUSES},
                asked=asked,
            )
            for person in self.invitations()
            if person.role == "annotator"
            for task in self.project.tasks
        )

    # ------------------------------------------------------------------------------------------------ record and rights

    def note(self, action: str, *, by: str = "", subject: str = "", detail: str = "") -> None:
        """Add an event to the record of what was done to the project."""
        with self._database.write() as connection:
            people_rows.note_event(connection, by, action, subject, detail)

    def events(self) -> tuple[AuditEvent, ...]:
        """The record of what was done to the project, the first event first."""
        with self._database.read() as connection:
            return tuple(map(event_from, connection.execute("SELECT * FROM events ORDER BY rowid")))

    def delete_person(self, invitation_id: str) -> int:
        """Delete an invitation and all that the person wrote, also from the file's free space, its log and the copies
        that migrations left.

        Reviews that the person made of other people's wordings stay, without saying who made them.

        Returns:
            The number of wordings that were deleted.

        Raises:
            CollectError: no such invitation.
        """
        with self._database.write() as connection:
            deleted = people_rows.delete_person(connection, invitation_id, DELETED)
        for copy in backups_of(self._database.path):
            copy.unlink(missing_ok=True)
        self._database.vacuum()
        return deleted

    def everything(self, *, of: str | None = None) -> dict[str, object]:
        """All that the project holds, or holds of one person (`of`, an invitation's id), without parts of links."""
        with self._database.read() as connection:
            return wording_rows.everything(connection, of)
