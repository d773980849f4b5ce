"""The application: pages by address, and what protects them. It reads, and changes nothing."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from phraseproof.errors import PhraseproofError
from phraseproof.reports.html.document import STYLE
from phraseproof.viewer.folder import ITSELF, ViewedFolder
from phraseproof.viewer.library import Library
from phraseproof.viewer.pages import STATIC, ViewerPages
from phraseproof.viewer.state import PageState
from phraseproof.web.address import LOOPBACK
from phraseproof.web.headers import SecurityHeaders

_LOG = logging.getLogger(__name__)


def application(root: Path, library: Library) -> ASGIApp:
    """The pages over a run folder, or over a folder with runs below it.

    Args:
        root: the folder.
        library: opens its runs.

    Raises:
        RunError: there is no run.
    """
    pages = ViewerPages(ViewedFolder(root), library)

    def route(path: str, page: Callable[[PageState], str]) -> Route:
        return Route(path, _endpoint(pages, page), methods=["GET"])

    async def first(request: Request) -> Response:
        if pages.folder.is_run:
            return RedirectResponse(f"/run?run={ITSELF}", status_code=303)
        return await _endpoint(pages, pages.runs)(request)

    async def style(request: Request) -> Response:
        del request
        return FileResponse(STYLE)

    async def failed(request: Request, error: Exception) -> Response:
        del request
        status = error.status_code if isinstance(error, HTTPException) else 500
        reason = "only reading is possible" if status == 405 else "there is no such page"
        return HTMLResponse(pages.refused(reason), status_code=status)

    inner = Starlette(
        routes=[
            Route("/", first, methods=["GET"]),
            route("/run", pages.run),
            route("/examples", pages.examples),
            route("/example", pages.example),
            route("/compare", pages.compare),
            Route("/static/report.css", style, methods=["GET"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK), www_redirect=False)],
        exception_handlers={HTTPException: failed},
    )
    return SecurityHeaders(inner, is_secure=False)


def _endpoint(pages: ViewerPages, page: Callable[[PageState], str]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            text = await run_in_threadpool(page, PageState.of(request.query_params))
        except PhraseproofError as error:
            return HTMLResponse(pages.refused(error.problem, error.hint, error.got), status_code=404)
        except OSError as error:
            _LOG.error("%s", error)
            return HTMLResponse(pages.refused("a file of the run cannot be read", str(error.strerror)), status_code=404)
        return HTMLResponse(text)

    return answer
