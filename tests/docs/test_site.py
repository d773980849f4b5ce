"""The built site (`make docs`): nothing is loaded from other hosts, every link leads somewhere, no page is too wide."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docs.building.blocks import ROOT
from lxml import html
from playwright.sync_api import Browser

from support.browser import launched

SITE = ROOT / "build" / "docs"
PAGES = sorted(SITE.rglob("*.html"))
LOADED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
LOOKED_AT = ("index.html", "statistics.html", "reference/cli/evaluate.html", "reference/python/evaluate.html")

pytestmark = pytest.mark.site


def test_the_site_is_built() -> None:
    names = {page.relative_to(SITE).as_posix() for page in PAGES}
    assert {*LOOKED_AT, "reference/yaml/task.html", "changelog.html", "404.html"} <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(SITE).as_posix())
def test_links_and_what_is_loaded(page: Path) -> None:
    tree = html.parse(page).getroot()
    for tag, attribute in LOADED.items():
        for address in tree.xpath(f"//{tag}[not(@rel='canonical')]/@{attribute}"):
            assert not urlsplit(address).netloc, f"{tag} loads {address}"
    if page.name == "404.html":  # its links are those of a server's root
        return
    for address in tree.xpath("//a/@href"):
        parts = urlsplit(address)
        if parts.scheme:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        assert target.is_file(), address
        if parts.fragment:
            assert unquote(parts.fragment) in _ids(target), address


@pytest.mark.parametrize("path", LOOKED_AT)
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(path: str, width: int, scheme: str, browser: Browser, server: str) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)  # pyright: ignore[reportArgumentType]
    page = context.new_page()
    requested: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{server}/{path}", wait_until="networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.body.getAttribute('data-md-color-scheme')") == (
        "slate" if scheme == "dark" else "default"
    )
    assert [url for url in requested if not url.startswith((server, "data:", "blob:"))] == []
    assert errors == []
    context.close()


def test_the_search_finds_an_option(browser: Browser, server: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{server}/index.html")
    page.fill(".md-search__input", "max-spread")
    page.wait_for_selector(".md-search-result__link")
    assert "gate" in page.inner_text(".md-search-result__list")
    page.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            del format, args

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(SITE))) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


_FOUND: dict[Path, set[str]] = {}


def _ids(page: Path) -> set[str]:
    if page not in _FOUND:
        text = page.read_text(encoding="utf-8")
        _FOUND[page] = set(re.findall(r'\b(?:id|name)="?([^\s">]+)', text))
    return _FOUND[page]
