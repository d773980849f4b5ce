"""The owner's pages: progress, people and their links, and exports. Reviews are in `review.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.responses import Response

from phraseproof.collect.export import collected_instructions, export_collection
from phraseproof.collect.invitations import link_of
from phraseproof.collect.records import SHOTS, AnnotatorProgress, Invitation, Role
from phraseproof.collect.rows import now
from phraseproof.collect.web.security import RefusedRequest, whole_number
from phraseproof.collect.web.site import Visit
from phraseproof.errors import CollectError

MAX_DAYS = 730
"""The maximum number of days for which an invitation is valid."""
COLLECTION = "collected"
"""The beginning of the names of exported collections."""
MAX_INVITED = 200
"""The maximum number of people who are invited at once."""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person as the page of people shows them: the invitation, its link, and whether the link works."""

    invitation: Invitation
    link: str
    is_valid: bool


def overview(visit: Visit) -> Response:
    """Progress by person and task."""
    store = visit.site.store
    by_person: dict[str, list[AnnotatorProgress]] = {}
    for each in store.progress():
        by_person.setdefault(each.invitation_id, []).append(each)
    waiting = len(store.wordings(status="submitted"))
    totals = {
        name: sum(getattr(each, name) for rows in by_person.values() for each in rows)
        for name in ("draft", "submitted", "returned", "accepted", "asked")
    }
    return visit.page(
        "owner.html.j2", progress=list(by_person.values()), tasks=visit.site.tasks, waiting=waiting, totals=totals
    )


def people(visit: Visit) -> Response:
    """Who is invited, with links."""
    return _people_page(visit)


def invite(visit: Visit) -> Response:
    """Invite people, one name per line; who cannot be invited is named, and the others are."""
    names = [name.strip() for name in visit.form.get("names", "").splitlines() if name.strip()]
    if not names or len(names) > MAX_INVITED:
        return _people_page(visit, status=400, problems=[visit.gettext("Write one name per line, at most 200.")])
    role: Role = "owner" if visit.form.get("role") == "owner" else "annotator"
    expires = now() + timedelta(days=_days(visit))
    problems: list[str] = []
    made: list[Invitation] = []
    for name in names:
        try:
            made.append(visit.site.store.invite(name, expires=expires, role=role, by=visit.known_person.id))
        except CollectError as error:
            problems.append(str(error))
    return _people_page(visit, status=400 if problems else 200, problems=problems, made=made)


def renew(visit: Visit) -> Response:
    """Give a person a new link; the old one stops."""
    person = _person(visit)
    expires = now() + timedelta(days=_days(visit))
    made = visit.site.store.renew(person.id, expires=expires, by=visit.known_person.id)
    return _people_page(visit, made=[made])


def revoke(visit: Visit) -> Response:
    """Stop a person's link. The wordings stay."""
    person = _person(visit)
    if person.id == visit.known_person.id:
        raise RefusedRequest(409, "conflict", visit.gettext("You cannot withdraw your own link."))
    visit.site.store.revoke(person.id, by=visit.known_person.id)
    return visit.go("/owner/people")


def ask_to_delete(visit: Visit) -> Response:
    """Ask whether all data of a person should be deleted."""
    return _delete_page(visit, _person(visit), is_wrong=False)


def delete(visit: Visit) -> Response:
    """Delete a person's data, if the form repeats the person's name."""
    person = _person(visit)
    if person.id == visit.known_person.id:
        raise RefusedRequest(409, "conflict", visit.gettext("You cannot delete yourself."))
    if visit.form.get("name", "").strip() != person.pseudonym:
        return _delete_page(visit, person, is_wrong=True)
    visit.site.store.delete_person(person.id)
    return visit.go("/owner/people")


def exports(visit: Visit) -> Response:
    """What can be downloaded, and which accepted wordings a collection leaves out, with the reason."""
    site = visit.site
    found = {
        kind: collected_instructions(site.store, site.whole_tasks, name=COLLECTION, kinds=(kind,), passed=site.passed)
        for kind in SHOTS
    }
    return visit.page("exports.html.j2", found=found)


def export_wordings(visit: Visit) -> Response:
    """The accepted wordings of a table, as a collection's file."""
    site, kind = visit.site, visit.parameter("kind")
    if kind not in SHOTS:
        raise RefusedRequest(404, "missing")
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{COLLECTION}-{kind}.yaml"
        export_collection(
            site.store, site.whole_tasks, path, name=f"{COLLECTION}-{kind}", kinds=(kind,), passed=site.passed
        )
        return _download(path.read_text(encoding="utf-8"), "application/yaml", path.name)


def export_everything(visit: Visit) -> Response:
    """All that the project holds, as JSON."""
    text = json.dumps(visit.site.store.everything(), ensure_ascii=False, indent=2)
    return _download(text, "application/json", "everything.json")


def _people_page(
    visit: Visit, *, status: int = 200, problems: Sequence[str] = (), made: Sequence[Invitation] = ()
) -> Response:
    site = visit.site
    moment = now()
    rows = [
        PersonRow(each, link_of(site.store.folder, each, site.base_url), each.revoked is None and each.expires > moment)
        for each in site.store.invitations()
    ]
    new = [PersonRow(each, link_of(site.store.folder, each, site.base_url), True) for each in made]
    return visit.page("people.html.j2", http_status=status, rows=rows, new=new, problems=problems)


def _delete_page(visit: Visit, person: Invitation, *, is_wrong: bool) -> Response:
    count = sum(bool(each.text) for each in visit.site.store.wordings(invitation_id=person.id))
    return visit.page(
        "delete.html.j2", http_status=400 if is_wrong else 200, target=person, count=count, is_wrong=is_wrong
    )


def _person(visit: Visit) -> Invitation:
    found = visit.site.store.invitation(visit.parameter("person"))
    if found is None:
        raise RefusedRequest(404, "missing")
    return found


def _days(visit: Visit) -> int:
    days = whole_number(visit.form.get("days", ""))
    if days is None or not 1 <= days <= MAX_DAYS:
        raise RefusedRequest(400, "form", f"days: 1 to {MAX_DAYS}")
    return days


def _download(text: str, kind: str, name: str) -> Response:
    return Response(
        text, media_type=f"{kind}; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
