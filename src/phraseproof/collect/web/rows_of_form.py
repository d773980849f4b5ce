"""The rows of a task's form: what is shown of each, and what a sent form says about each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from phraseproof.collect.preview import Preview
from phraseproof.collect.records import SHOTS, CollectedWording, Form, Invitation, Shots
from phraseproof.collect.web.form_tasks import FormTask
from phraseproof.collect.web.security import whole_number
from phraseproof.collect.web.site import Site

ANSWER_FORMS = ("letter", "text")
"""Answer forms that the form offers, besides the automatic one."""


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row as a page shows it.

    Attributes:
        kind, number: its table, and its place from 1.
        text: what is written.
        answer: one of `ANSWER_FORMS`; empty for the automatic form.
        form: what the text is.
        wording: what is stored; `None` for a row that was never saved.
        preview: the text on examples; `None` for an empty row.
    """

    kind: Shots
    number: int
    text: str
    answer: str
    form: Form
    wording: CollectedWording | None
    preview: Preview | None

    @property
    def name(self) -> str:
        """The row's name in the page."""
        return f"{self.kind}-{self.number}"

    @property
    def base(self) -> int:
        """The revision that the page shows; 0 for none."""
        return self.wording.revision if self.wording else 0

    @property
    def is_fixed(self) -> bool:
        """Whether the row is accepted, and so cannot be changed."""
        return self.wording is not None and self.wording.status == "accepted"


@dataclass(frozen=True, slots=True)
class SentRow:
    """One row of a form that was sent."""

    text: str
    answer: str | None
    form: Form
    base: int | None


def rows_of(
    site: Site, person: Invitation, task: FormTask, *, with_previews: bool = True
) -> dict[Shots, list[ShownRow]]:
    """All rows of a person's form for a task, by table: those that are asked, and those that are stored."""
    stored = {(each.kind, each.row): each for each in site.store.wordings(task=task.name, invitation_id=person.id)}
    rows: dict[Shots, list[ShownRow]] = {}
    for kind in SHOTS:
        count = max([site.project.asked(kind), *(row for of, row in stored if of == kind)])
        of_table = [_row(kind, number, stored.get((kind, number))) for number in range(1, count + 1)]
        rows[kind] = (
            [replace(row, preview=_preview(site, task, row)) for row in of_table] if with_previews else of_table
        )
    return rows


def compared_rows(site: Site, person: Invitation, task: FormTask) -> dict[Shots, list[ShownRow]]:
    """All rows of a person's form for a task, with similar wordings in their previews."""
    rows = rows_of(site, person, task)
    texts = {row.name: row.text for of_table in rows.values() for row in of_table if row.text}
    return {kind: [_compared(site, person, task, row, texts) for row in of_table] for kind, of_table in rows.items()}


def _compared(site: Site, person: Invitation, task: FormTask, row: ShownRow, texts: Mapping[str, str]) -> ShownRow:
    if row.preview is None:
        return row
    own = [text for name, text in texts.items() if name != row.name]
    return replace(row, preview=site.compared(row.preview, task, row.text, own, person.id))


def _row(kind: Shots, number: int, wording: CollectedWording | None) -> ShownRow:
    if wording is None or not wording.text:
        return ShownRow(kind, number, "", "", "ask", wording, None)
    answer = wording.answer if wording.answer in ANSWER_FORMS else None
    return ShownRow(kind, number, wording.text, answer or "", wording.form, wording, None)


def _preview(site: Site, task: FormTask, row: ShownRow) -> Preview | None:
    wording = row.wording
    if wording is None or not wording.text:
        return None
    return site.preview(task, wording.text, row.kind, answer=wording.answer, form=wording.form)


def sent_row(form: Mapping[str, str], name: str) -> SentRow | None:
    """What a sent form says about a row; `None` if it does not name the row."""
    text = form.get(f"{name}.text")
    if text is None:
        return None
    answer = form.get(f"{name}.answer", "")
    return SentRow(
        text=text.replace("\r\n", "\n"),
        answer=answer if answer in ANSWER_FORMS else None,
        form="template" if form.get(f"{name}.whole") == "yes" else "ask",
        base=whole_number(form.get(f"{name}.base", "")),
    )


def save_row(
    site: Site, person: Invitation, task: FormTask, kind: Shots, number: int, sent: SentRow
) -> CollectedWording | None:
    """Save a row as it was sent; an old page that did not change the row leaves it as others wrote it since.

    Returns:
        The stored wording; `None` for a row that was and is empty.

    Raises:
        CollectError: the row cannot be stored.
    """
    stored = next(
        (
            each
            for each in site.store.wordings(task=task.name, invitation_id=person.id)
            if (each.kind, each.row) == (kind, number)
        ),
        None,
    )
    if stored is None:
        if not sent.text.strip():
            return None
    elif (stored.status == "accepted" and stored.text == sent.text) or _is_unchanged(site, stored, sent):
        return stored
    elif sent.answer is None and stored.answer not in {None, *ANSWER_FORMS}:
        # An answer form of a table that the form cannot show: a page that does not choose another one keeps it.
        sent = replace(sent, answer=stored.answer)
    return site.store.save(
        person.id, task.name, kind, number, sent.text, answer=sent.answer, base=sent.base or None, form=sent.form
    )


def _is_unchanged(site: Site, stored: CollectedWording, sent: SentRow) -> bool:
    """Whether a page that shows an older revision sends that revision back."""
    if sent.base is None or sent.base >= stored.revision:
        return False
    seen = next((each for each in site.store.history(stored.id) if each.number == sent.base), None)
    return seen is not None and (seen.text, seen.answer, seen.form) == (sent.text, sent.answer, sent.form)
