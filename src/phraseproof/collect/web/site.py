"""What all pages share: the project, its tasks, and the protection of requests."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Lock
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from phraseproof.collect.export import PassedChecks
from phraseproof.collect.preview import MOST_SIMILAR, Preview, preview_of, similar_wordings
from phraseproof.collect.records import Form, Invitation, Project, Shots
from phraseproof.collect.store import CollectStore
from phraseproof.collect.web.form_tasks import FormTask, form_tasks
from phraseproof.collect.web.pages import PageTemplates
from phraseproof.collect.web.rates import RequestRates
from phraseproof.collect.web.security import RefusedRequest, whole_number
from phraseproof.collect.web.sessions import Sessions
from phraseproof.collect.web.texts import Gettext
from phraseproof.core import Task
from phraseproof.instructions.similarity import WordPairIndex

_SECONDS_KEPT = 5.0
"""How long texts of other people are kept before they are read again, for the similarity of previews."""


class SubmittedTexts(NamedTuple):
    """Texts of a task that are submitted or accepted, and the id of who wrote each."""

    pairs: WordPairIndex
    authors: tuple[str, ...]


class RecentWordings:
    """The submitted texts of tasks as they were at most some seconds ago, read once for all previews of that time."""

    def __init__(self, store: CollectStore) -> None:
        self._store = store
        self._read: dict[str, tuple[float, SubmittedTexts]] = {}
        self._lock = Lock()

    def of(self, task: str) -> SubmittedTexts:
        """The submitted texts of a task."""
        with self._lock:
            found = self._read.get(task)
            if found is None or time.monotonic() - found[0] > _SECONDS_KEPT:
                found = self._read[task] = (time.monotonic(), self._submitted(task))
            return found[1]

    def _submitted(self, task: str) -> SubmittedTexts:
        found = [
            each for each in self._store.wordings(task=task) if each.text and each.status in ("submitted", "accepted")
        ]
        return SubmittedTexts(WordPairIndex([each.text for each in found]), tuple(each.invitation_id for each in found))


@dataclass(frozen=True, slots=True)
class Site:
    """The form of one project.

    Attributes:
        store: the project.
        samples: its tasks by name, with a sample of their examples.
        whole_tasks: the same with all examples.
        base_url: the address under which people reach the form, without a slash at the end.
        sessions, rates, pages: cookies, limits and templates.
        recent: wordings of everyone, for the similarity of previews.
        passed: wordings that can be exported, so that the page of exports does not check them at every view.
    """

    store: CollectStore
    samples: Mapping[str, Task]
    whole_tasks: Mapping[str, Task]
    base_url: str
    sessions: Sessions
    rates: RequestRates
    pages: PageTemplates
    recent: RecentWordings
    passed: PassedChecks

    @property
    def project(self) -> Project:
        """What is collected."""
        return self.store.project

    @property
    def tasks(self) -> tuple[FormTask, ...]:
        """The tasks, with descriptions as they are now."""
        return form_tasks(self.project, self.samples)

    def task(self, number: int) -> FormTask:
        """A task by its number in an address.

        Raises:
            RefusedRequest: there is none.
        """
        tasks = self.tasks
        if not 1 <= number <= len(tasks):
            raise RefusedRequest(404, "missing")
        return tasks[number - 1]

    def task_called(self, name: str) -> FormTask:
        """A task by its name. Raises as `task` does."""
        found = next((each for each in self.tasks if each.name == name), None)
        if found is None:
            raise RefusedRequest(404, "missing")
        return found

    def preview(self, task: FormTask, text: str, kind: Shots, *, answer: str | None, form: Form) -> Preview:
        """The preview of a text on the task's examples, without similar wordings."""
        return preview_of(task.task, text, kind, answer=answer, form=form)

    def compared(self, preview: Preview, task: FormTask, text: str, own: Sequence[str], person_id: str) -> Preview:
        """The preview of a person's text with similar wordings: the person's own, and what others submitted.

        Texts of others may be some seconds old.
        """
        submitted = self.recent.of(task.name)
        theirs = {index for index, author in enumerate(submitted.authors) if author == person_id}
        found = (
            *similar_wordings(text, WordPairIndex(own)),
            *similar_wordings(text, submitted.pairs, without=theirs),
        )
        ranked = sorted(found, key=lambda each: -each.rouge2)
        unique = {each.text: each for each in reversed(ranked)}
        return replace(preview, similar=tuple(each for each in ranked if unique[each.text] is each)[:MOST_SIMILAR])


@dataclass(frozen=True, slots=True)
class Visit:
    """One request, checked.

    Attributes:
        site: the site.
        request: the request itself.
        language: the page's language.
        nonce: the browser's secret, from which its forms' tokens are made.
        person: who asks; `None` where a page is open to all.
        form: the fields of a form that was sent; empty for a page that is only shown.
    """

    site: Site
    request: Request
    language: str
    nonce: str
    person: Invitation | None
    form: Mapping[str, str]

    @property
    def known_person(self) -> Invitation:
        """Who asks, on a page that is not open to all."""
        assert self.person is not None
        return self.person

    @property
    def gettext(self) -> Gettext:
        """Translates the code's sentences."""
        return self.site.pages.gettext(self.language)

    @property
    def address(self) -> str:
        """The visitor's IP address, which limits of requests need."""
        return self.request.client.host if self.request.client else ""

    def number(self, name: str) -> int:
        """A number in the address.

        Raises:
            RefusedRequest: it is no number.
        """
        number = whole_number(self.parameter(name))
        if number is None:
            raise RefusedRequest(404, "missing")
        return number

    def parameter(self, name: str) -> str:
        """A text in the address."""
        return str(self.request.path_params[name])

    def page(self, template: str, /, *, http_status: int = 200, **values: object) -> Response:
        """A page of the form, with the values that its template needs."""
        query = f"?{self.request.url.query}" if self.request.url.query else ""
        text = self.site.pages.render(
            template,
            self.language,
            project=self.site.project,
            person=self.person,
            csrf=self.site.sessions.csrf_token(self.nonce),
            here=f"{self.request.url.path}{query}" if self.request.method == "GET" else "/",
            **values,
        )
        return HTMLResponse(text, status_code=http_status)

    def go(self, path: str) -> Response:
        """Send the browser to another page, after a change."""
        return RedirectResponse(path, status_code=303)
