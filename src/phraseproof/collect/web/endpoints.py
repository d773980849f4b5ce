"""From a request to a page: who asks, how often, from where, and what to answer if it is refused."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from phraseproof.collect.database import UnusableDatabaseError
from phraseproof.collect.invitations import InvitationError
from phraseproof.collect.records import Role
from phraseproof.collect.web.language import chosen_language
from phraseproof.collect.web.security import (
    MAX_BODY,
    MAX_STRANGERS_BODY,
    RefusedRequest,
    read_form,
    require_same_origin,
)
from phraseproof.collect.web.site import Site, Visit
from phraseproof.collect.web.texts import refusal
from phraseproof.errors import CollectError, FileError

ShowPage = Callable[[Visit], Response]
"""A page: a function of a checked request. It may block; it runs in a thread."""

_CHANGES = {"POST"}
_LOG = logging.getLogger(__name__)


def endpoint(site: Site, page: ShowPage, role: Role | None = None) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a page.

    Args:
        site: the site.
        page: makes the answer.
        role: who may see the page; `None` for everyone.
    """

    async def answer(request: Request) -> Response:
        nonce = site.sessions.visit(request)
        visit = Visit(site, request, language_of(site, request), nonce or site.sessions.new_visit(), None, {})
        try:
            if request.method in _CHANGES:
                # Who asks is known before the body is read, so that strangers cannot fill the memory.
                require_same_origin(request, site.base_url)
                known = await run_in_threadpool(_identified, visit, role)
                form = await read_form(request, max_bytes=MAX_BODY if known.person else MAX_STRANGERS_BODY)
                _require_secret(site, nonce, form)
                response = await run_in_threadpool(_answered, replace(known, form=form), page)
            else:
                response = await run_in_threadpool(lambda: _answered(_identified(visit, role), page))
        except RefusedRequest as refused:
            response = refused_page(visit, refused)
        except (UnusableDatabaseError, FileError, OSError) as error:
            _LOG.error("%s", error)  # for the owner's terminal: a page would show strangers our paths
            response = refused_page(visit, RefusedRequest(503, "unusable"))
        if nonce is None:
            site.sessions.start_visit(response, visit.nonce)
        return response

    return answer


def language_of(site: Site, request: Request) -> str:
    """The language of the answer to a request."""
    cookie = request.cookies.get(site.sessions.cookie("language"))
    return chosen_language(site.pages.languages, cookie, request.headers.get("accept-language"))


def refused_page(visit: Visit, refused: RefusedRequest) -> Response:
    """The error page of a refused request."""
    heading, sentence = refusal(refused.reason, visit.gettext)
    response = visit.page(
        "error.html.j2", http_status=refused.status, heading=heading, sentence=sentence, detail=refused.detail
    )
    if refused.status in {429, 503}:
        response.headers["Retry-After"] = "60"
    return response


def _identified(visit: Visit, role: Role | None) -> Visit:
    """The visit with who asks, counted for the limits."""
    site = visit.site
    person = None
    try:
        if role is not None:
            person = site.sessions.invitation(visit.request, site.store, role)
    except InvitationError as error:
        site.rates.count("address", visit.address)
        raise RefusedRequest(403, f"link-{error.reason}") from None
    if person is not None:
        site.rates.count("invitation", person.id)
        return replace(visit, person=person)
    site.rates.count("address", visit.address)
    if role is not None:
        raise RefusedRequest(403, "session")
    return visit


def _require_secret(site: Site, nonce: str | None, form: Mapping[str, str]) -> None:
    if not site.sessions.is_csrf_token(nonce, form.get("csrf", "")):
        raise RefusedRequest(403, "csrf")


def _answered(visit: Visit, page: ShowPage) -> Response:
    try:
        return page(visit)
    except UnusableDatabaseError:
        raise
    except CollectError as error:
        # Without the place, which is a path of this machine.
        detail = CollectError(error.problem, expected=error.expected, got=error.got, hint=error.hint)
        raise RefusedRequest(409, "conflict", str(detail)) from None
