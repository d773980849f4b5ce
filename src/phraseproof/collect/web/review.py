"""The owner's review: one wording at a time, accepted, returned with a comment, or edited; its history is shown."""

from __future__ import annotations

from starlette.responses import Response

from phraseproof.collect.records import STATUSES, CollectedWording, Status
from phraseproof.collect.web.rows_of_form import ANSWER_FORMS
from phraseproof.collect.web.security import RefusedRequest, whole_number
from phraseproof.collect.web.site import Visit

PER_PAGE = 100
"""Wordings on one page of the list."""


def review(visit: Visit) -> Response:
    """Wordings of a status, by task and author; by default those that wait for a review."""
    query = visit.request.query_params
    status = _status(query.get("status", "submitted"))
    task = query.get("task", "")
    chosen = next((each.name for each in visit.site.tasks if str(each.number) == task), None)
    wordings = visit.site.store.wordings(status=status, task=chosen)
    authors = _authors(visit)  # without who was deleted meanwhile
    found = [each for each in wordings if each.text and each.invitation_id in authors]
    page = whole_number(query.get("page", "")) or 1
    start = (page - 1) * PER_PAGE
    return visit.page(
        "review.html.j2",
        wordings=found[start : start + PER_PAGE],
        total=len(found),
        page=page,
        pages=-(-len(found) // PER_PAGE),
        status=status,
        statuses=STATUSES,
        chosen=chosen,
        task_number=task if chosen else "",
        tasks=visit.site.tasks,
        authors=authors,
    )


def wording(visit: Visit) -> Response:
    """One wording, as a model would see it, with its history."""
    return _wording_page(visit, _wording(visit))


def accept(visit: Visit) -> Response:
    """Accept the revision that the page showed, and go to the next wording that waits."""
    found = _wording(visit)
    seen = _seen(visit)
    following = _following(visit, found)
    visit.site.store.accept(found.id, by=visit.known_person.id, revision=seen)
    return visit.go(following)


def send_back(visit: Visit) -> Response:
    """Return a wording with a comment, and go to the next one that waits."""
    found = _wording(visit)
    comment = visit.form.get("comment", "").replace("\r\n", "\n").strip()
    if not comment:
        return _wording_page(
            visit, found, problem=visit.gettext("Write a comment, so that the author knows what to do.")
        )
    following = _following(visit, found)
    visit.site.store.send_back(found.id, comment, by=visit.known_person.id, revision=_seen(visit))
    return visit.go(following)


def edit(visit: Visit) -> Response:
    """Change a wording's text; the author's text stays in the history."""
    found = _wording(visit)
    text = visit.form.get("text", "").replace("\r\n", "\n")
    answer = visit.form.get("answer", "")
    visit.site.store.edit(
        found.id,
        text,
        by=visit.known_person.id,
        answer=answer if answer in ANSWER_FORMS else None,
        form="template" if visit.form.get("whole") == "yes" else "ask",
        revision=_seen(visit),
    )
    return visit.go(f"/owner/wordings/{found.id}?edited=yes")


def _wording(visit: Visit) -> CollectedWording:
    found = visit.site.store.wording(visit.parameter("wording"))
    if found is None or not found.text:
        raise RefusedRequest(404, "missing")
    return found


def _seen(visit: Visit) -> int:
    """The revision that the page showed; a later one is not reviewed unread."""
    seen = whole_number(visit.form.get("revision", ""))
    if seen is None:
        raise RefusedRequest(400, "form")
    return seen


def _following(visit: Visit, done: CollectedWording) -> str:
    """The address of the next wording that waits for a review, in the order of the list; then the list."""
    waiting = [each for each in visit.site.store.wordings(status="submitted") if each.text]
    places = [index for index, each in enumerate(waiting) if each.id == done.id]
    after = waiting[places[0] + 1 :] if places else waiting
    before = waiting[: places[0]] if places else []
    return next((f"/owner/wordings/{each.id}" for each in (*after, *before)), "/owner/review")


def _wording_page(visit: Visit, found: CollectedWording, *, problem: str = "") -> Response:
    site = visit.site
    task = site.task_called(found.task)
    authors = _authors(visit)
    if found.invitation_id not in authors:  # deleted meanwhile
        raise RefusedRequest(404, "missing")
    own = [
        each.text
        for each in site.store.wordings(task=found.task, invitation_id=found.invitation_id)
        if each.text and each.id != found.id
    ]
    preview = site.preview(task, found.text, found.kind, answer=found.answer, form=found.form)
    return visit.page(
        "wording.html.j2",
        http_status=400 if problem else 200,
        wording=found,
        task=task,
        author=authors[found.invitation_id],
        authors=authors,
        preview=site.compared(preview, task, found.text, own, found.invitation_id),
        history=tuple(reversed(site.store.history(found.id))),
        waiting=len(site.store.wordings(status="submitted")),
        problem=problem,
        comment=visit.form.get("comment", ""),
        is_edited=visit.request.query_params.get("edited") == "yes",
    )


def _authors(visit: Visit) -> dict[str, str]:
    """Names of people by the ids of their invitations."""
    return {each.id: each.pseudonym for each in visit.site.store.invitations()}


def _status(name: str) -> Status:
    if name not in STATUSES:
        raise RefusedRequest(404, "missing")
    return name
