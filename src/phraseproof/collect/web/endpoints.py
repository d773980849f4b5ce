"""From a request to a page: who asks, how often, from where, and what to answer if it is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from phraseproof.collect.invitations import InvitationError
from phraseproof.collect.records import Role
from phraseproof.collect.web.language import chosen_language
from phraseproof.collect.web.security import RefusedRequest, read_form, require_same_origin
from phraseproof.collect.web.site import Site, Visit
from phraseproof.collect.web.texts import refusal
from phraseproof.errors import CollectError

ShowPage = Callable[[Visit], Response]
"""A page: a function of a checked request. It may block; it runs in a thread."""

_CHANGES = {"POST"}


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
        form: Mapping[str, str] = {}
        try:
            if request.method in _CHANGES:
                require_same_origin(request, site.base_url)
                form = await read_form(request)
            response = await run_in_threadpool(_checked, visit, page, role, form, nonce)
        except RefusedRequest as refused:
            response = refused_page(visit, refused)
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
    if refused.status == 429:
        response.headers["Retry-After"] = "60"
    return response


def _checked(visit: Visit, page: ShowPage, role: Role | None, form: Mapping[str, str], nonce: str | None) -> Response:
    site, request = visit.site, visit.request
    address = request.client.host if request.client else ""
    person = None
    try:
        if role is not None:
            person = site.sessions.invitation(request, site.store, role)
    except InvitationError as error:
        site.rates.count("address", address)
        raise RefusedRequest(403, f"link-{error.reason}") from None
    if person is None:
        site.rates.count("address", address)
        if role is not None:
            raise RefusedRequest(403, "session")
    else:
        site.rates.count("invitation", person.id)
    if request.method in _CHANGES and not site.sessions.is_csrf_token(nonce, form.get("csrf", "")):
        raise RefusedRequest(403, "csrf")
    try:
        return page(Visit(site, request, visit.language, visit.nonce, person, form))
    except CollectError as error:
        raise RefusedRequest(409, "conflict", str(error)) from None
