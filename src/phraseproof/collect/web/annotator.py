"""The annotator's pages: the link, the tasks, and the form of a task."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from phraseproof.collect.composition import field_names, usual_layout
from phraseproof.collect.invitations import InvitationError, invitation_of
from phraseproof.collect.preview import Preview
from phraseproof.collect.records import SHOTS, Invitation, Role, Shots, Status
from phraseproof.collect.web.form_tasks import FormTask
from phraseproof.collect.web.rows_of_form import compared_rows, rows_of, save_row, sent_row
from phraseproof.collect.web.security import RefusedRequest, whole_number
from phraseproof.collect.web.site import Site, Visit
from phraseproof.errors import CollectError

ROLES: tuple[Role, ...] = ("annotator", "owner")


@dataclass(frozen=True, slots=True)
class TaskState:
    """How far a person is with a task: wordings by status, and how many are asked."""

    task: FormTask
    counts: dict[Status, int]
    asked: int

    @property
    def written(self) -> int:
        """Wordings with text."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Wordings that wait for a review or are accepted."""
        return self.counts["submitted"] + self.counts["accepted"]


def welcome(visit: Visit) -> Response:
    """What is asked and the licence; a link opens this page."""
    person = _person_of_link(visit)
    is_agreed = person.licence == visit.site.project.licence
    return visit.page(
        "welcome.html.j2", invitee=person, is_agreed=is_agreed, token=visit.parameter("token"), is_missing=False
    )


def enter(visit: Visit) -> Response:
    """Agree to the licence, and go to the tasks (an owner: to the project)."""
    site, person = visit.site, _person_of_link(visit)
    if person.role == "annotator" and person.licence != site.project.licence:
        if visit.form.get("agree") != "yes":
            return visit.page(
                "welcome.html.j2",
                http_status=400,
                invitee=person,
                is_agreed=False,
                token=visit.parameter("token"),
                is_missing=True,
            )
        site.store.agree(person.id, site.project.licence)
    response = visit.go("/owner" if person.role == "owner" else "/tasks")
    site.sessions.start(response, person)
    return response


def leave(visit: Visit) -> Response:
    """Forget who the visitor is, in this browser."""
    response = visit.go("/")
    for role in ROLES:
        visit.site.sessions.end(response, role)
    return response


def tasks(visit: Visit) -> Response:
    """The tasks, and what was returned."""
    states = task_states(visit.site, visit.known_person)
    returned = visit.site.store.wordings(invitation_id=visit.known_person.id, status="returned")
    numbers = {each.name: each.number for each in visit.site.tasks}
    return visit.page("tasks.html.j2", states=states, returned=returned, numbers=numbers)


def task(visit: Visit) -> Response:
    """The form of a task."""
    return _task_page(visit, visit.site.task(visit.number("number")))


def save_task(visit: Visit) -> Response:
    """Save all rows; without a script, this also shows their previews."""
    form_task = visit.site.task(visit.number("number"))
    failed = _save_all(visit, form_task)
    if failed:
        return _task_page(visit, form_task, failed=failed)
    shown = visit.form.get("show", "")
    names = {
        row.name
        for rows in rows_of(visit.site, visit.known_person, form_task, with_previews=False).values()
        for row in rows
    }
    where = f"?show={shown}#{shown}" if shown in names else "?saved=yes#state"
    return visit.go(f"/tasks/{form_task.number}{where}")


def submit_task(visit: Visit) -> Response:
    """Save all rows, and submit them for review, unless one of them cannot be used."""
    site, person = visit.site, visit.known_person
    form_task = site.task(visit.number("number"))
    failed = _save_all(visit, form_task)
    rows = [row for of_table in rows_of(site, person, form_task).values() for row in of_table]
    broken = [row for row in rows if row.preview and not row.is_fixed and not row.preview.is_usable]
    if failed or broken:
        return _task_page(visit, form_task, failed=failed, broken=[row.name for row in broken])
    submitted = site.store.submit(person.id, form_task.name)
    return visit.go(f"/tasks/{form_task.number}?submitted={len(submitted)}#state")


def save_one(visit: Visit) -> Response:
    """Save one row and show its preview: what the script asks for at each pause while a person writes."""
    site, person = visit.site, visit.known_person
    form_task = site.task(visit.number("number"))
    kind = _table(visit.parameter("kind"))
    number = visit.number("row")
    sent = sent_row(visit.form, "row")
    if sent is None:
        raise RefusedRequest(400, "form")
    if not 1 <= number <= len(rows_of(site, person, form_task, with_previews=False)[kind]):
        raise RefusedRequest(404, "missing")
    before = sent.base or 0
    wording = save_row(site, person, form_task, kind, number, sent)
    preview = None
    if sent.text.strip():
        own = [
            each.text
            for each in site.store.wordings(task=form_task.name, invitation_id=person.id)
            if each.text and (each.kind, each.row) != (kind, number)
        ]
        preview = site.preview(form_task, sent.text, kind, answer=sent.answer, form=sent.form)
        preview = site.compared(preview, form_task, sent.text, own, person.id)
    is_changed_elsewhere = wording is not None and wording.revision > before + 1
    return visit.page(
        "row_state.html.j2",
        wording=wording,
        preview=preview,
        is_changed_elsewhere=is_changed_elsewhere,
        name=f"{kind}-{number}",
    )


def task_states(site: Site, person: Invitation) -> list[TaskState]:
    """How far a person is with every task."""
    asked = site.project.zero_shot + site.project.few_shot
    written = site.store.wordings(invitation_id=person.id)
    states: list[TaskState] = []
    for each in site.tasks:
        counts: dict[Status, int] = {"draft": 0, "submitted": 0, "returned": 0, "accepted": 0}
        for wording in written:
            if wording.task == each.name and wording.text:
                counts[wording.status] += 1
        states.append(TaskState(each, counts, asked))
    return states


def _person_of_link(visit: Visit) -> Invitation:
    """The invitation of the link, with a limit on links that are not valid."""
    visit.site.rates.require_room("link", visit.address)
    try:
        return invitation_of(visit.site.store, visit.parameter("token"))
    except InvitationError as error:
        visit.site.rates.count("link", visit.address)
        raise RefusedRequest(403, f"link-{error.reason}") from None


def _save_all(visit: Visit, form_task: FormTask) -> list[str]:
    """Save every row of a sent form; the names of rows that could not be stored, each with the reason."""
    site, person = visit.site, visit.known_person
    failed: list[str] = []
    for rows in rows_of(site, person, form_task, with_previews=False).values():
        for row in rows:
            sent = sent_row(visit.form, row.name)
            if sent is None:
                continue
            try:
                save_row(site, person, form_task, row.kind, row.number, sent)
            except CollectError as error:
                failed.append(f"{row.name}: {error}")
    return failed


def _task_page(
    visit: Visit, form_task: FormTask, *, failed: list[str] | None = None, broken: list[str] | None = None
) -> Response:
    site = visit.site
    query = visit.request.query_params
    return visit.page(
        "task.html.j2",
        http_status=400 if failed or broken else 200,
        task=form_task,
        fields=field_names(form_task.task),
        layout=usual_layout(form_task.task),
        examples=form_task.task.examples[:3],
        worked={kind: _worked(site, form_task, kind) for kind in SHOTS},
        rows=compared_rows(site, visit.known_person, form_task),
        failed=failed or [],
        broken=broken or [],
        show=query.get("show", ""),
        is_saved=query.get("saved") == "yes",
        submitted=whole_number(query.get("submitted", "")),
        last=len(site.tasks),
    )


def _worked(site: Site, form_task: FormTask, kind: Shots) -> Preview:
    return site.preview(form_task, form_task.worked_example, kind, answer=None, form="ask")


def _table(name: str) -> Shots:
    if name not in SHOTS:
        raise RefusedRequest(404, "missing")
    return name
