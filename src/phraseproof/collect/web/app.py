"""The application: pages by address, and what protects them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from phraseproof.collect.export import PassedChecks
from phraseproof.collect.invitations import key_of
from phraseproof.collect.project_tasks import load_project_tasks
from phraseproof.collect.records import Role
from phraseproof.collect.store import CollectStore
from phraseproof.collect.web import annotator, form_texts, owner, review
from phraseproof.collect.web.endpoints import ShowPage, endpoint, language_of, refused_page
from phraseproof.collect.web.form_tasks import sample_of
from phraseproof.collect.web.language import LANGUAGES
from phraseproof.collect.web.pages import STATIC, PageTemplates
from phraseproof.collect.web.rates import RequestRates
from phraseproof.collect.web.security import RefusedRequest
from phraseproof.collect.web.sessions import Sessions
from phraseproof.collect.web.site import RecentWordings, Site, Visit
from phraseproof.core import Task
from phraseproof.web.address import LOOPBACK
from phraseproof.web.headers import SecurityHeaders


def application(
    folder: Path, *, base_url: str, tasks: Mapping[str, Task] | None = None, rate_scale: float = 1.0
) -> ASGIApp:
    """The form of a project, as an ASGI application.

    Args:
        folder: the project's folder.
        base_url: the address under which people reach the form, as `https://example.org`. Requests for other hosts
            than this one and loopback are refused; `https` makes cookies Secure.
        tasks: the project's tasks by name, if they are loaded already.
        rate_scale: a factor of all limits of requests per minute.

    Raises:
        CollectError: the folder holds no project, or its key cannot be read.
        TaskError, FileError: a task cannot be loaded.
    """
    store = CollectStore.open(folder)
    address = urlsplit(base_url)
    is_secure = address.scheme == "https"
    loaded = load_project_tasks(store.project) if tasks is None else tasks
    site = Site(
        store=store,
        samples={name: sample_of(task) for name, task in loaded.items()},
        whole_tasks=loaded,
        base_url=base_url.rstrip("/"),
        sessions=Sessions(key_of(folder), is_secure=is_secure),
        rates=RequestRates(scale=rate_scale),
        pages=PageTemplates(store.project.languages),
        recent=RecentWordings(store),
        passed=PassedChecks(),
    )

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        visit = Visit(site, request, language_of(site, request), site.sessions.new_visit(), None, {})
        return refused_page(visit, RefusedRequest(error.status_code, "missing"))

    name = address.hostname or ""
    hosts = [f"[{name}]" if ":" in name else name, *LOOPBACK]
    inner = Starlette(
        routes=_routes(site),
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
        exception_handlers={HTTPException: failed},
    )
    # Around everything, so that answers to our own faults have the headers, too.
    return SecurityHeaders(inner, is_secure=is_secure)


def _routes(site: Site) -> list[Route | Mount]:
    def get(path: str, page: ShowPage, role: Role | None = None) -> Route:
        return Route(path, endpoint(site, page, role), methods=["GET"])

    def post(path: str, page: ShowPage, role: Role | None = None) -> Route:
        return Route(path, endpoint(site, page, role), methods=["POST"])

    return [
        get("/", _front),
        Route("/health", _health),
        Route("/language/{code}", _language(site)),
        Mount("/static", StaticFiles(directory=STATIC)),
        get("/i/{token}", annotator.welcome),
        post("/i/{token}", annotator.enter),
        get("/tasks", annotator.tasks, "annotator"),
        get("/tasks/{number}", annotator.task, "annotator"),
        post("/leave", annotator.leave),
        post("/tasks/{number}/save", annotator.save_task, "annotator"),
        post("/tasks/{number}/submit", annotator.submit_task, "annotator"),
        post("/tasks/{number}/{kind}/{row}", annotator.save_one, "annotator"),
        get("/owner", owner.overview, "owner"),
        get("/owner/people", owner.people, "owner"),
        post("/owner/people", owner.invite, "owner"),
        post("/owner/people/{person}/renew", owner.renew, "owner"),
        post("/owner/people/{person}/revoke", owner.revoke, "owner"),
        get("/owner/people/{person}/delete", owner.ask_to_delete, "owner"),
        post("/owner/people/{person}/delete", owner.delete, "owner"),
        get("/owner/texts", form_texts.texts, "owner"),
        post("/owner/texts", form_texts.change_texts, "owner"),
        get("/owner/review", review.review, "owner"),
        get("/owner/wordings/{wording}", review.wording, "owner"),
        post("/owner/wordings/{wording}/accept", review.accept, "owner"),
        post("/owner/wordings/{wording}/return", review.send_back, "owner"),
        post("/owner/wordings/{wording}/edit", review.edit, "owner"),
        get("/owner/export", owner.exports, "owner"),
        get("/owner/export/{kind}.yaml", owner.export_wordings, "owner"),
        get("/owner/export/everything.json", owner.export_everything, "owner"),
    ]


def _front(visit: Visit) -> Response:
    """The page of a visitor without a link."""
    return visit.page("front.html.j2")


async def _health(request: Request) -> Response:
    """Say that the server answers, for proxies."""
    del request
    return PlainTextResponse("ok")


def _language(site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def choose(request: Request) -> Response:
        """Keep the language that a visitor chose, and go back."""
        target = request.query_params.get("next", "/")
        # Only to a page of the form: `//host` and `/\\host` would lead elsewhere.
        is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
        response = RedirectResponse(target if is_ours else "/", status_code=303)
        code = request.path_params["code"]
        if code in LANGUAGES:
            site.sessions.choose_language(response, code)
        return response

    return choose
