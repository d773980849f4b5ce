"""The viewer in a real browser: by keyboard, on a phone, in both colours, with links and the back button."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

import phraseproof
from support.browser import launched
from support.viewed_runs import RIGHT, write_options_run

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    folder = tmp_path_factory.mktemp("viewer") / "runs"
    many = {f"w/{name}": RIGHT["w/a"] for name in "defghijklm"}
    write_options_run(folder / "one", {**RIGHT, **many}, prompts=True)
    write_options_run(folder / "two", {**RIGHT, "w/a": (0, 0, 0, 0)})
    with phraseproof.view(folder, open_browser=False) as viewing:
        yield viewing.url


@pytest.fixture(scope="module")
def page(url: str) -> Generator[Any]:
    """A page of a phone's width, which fails on errors and on requests to elsewhere."""
    with launched() as browser:
        context = browser.new_context(viewport=PHONE)
        found = context.new_page()
        wrong: list[str] = []
        found.on("pageerror", lambda error: wrong.append(str(error)))
        found.on("console", lambda message: wrong.append(message.text) if _is_fault(message) else None)
        found.on("request", lambda asked: None if asked.url.startswith(url) else wrong.append(asked.url))
        yield found
        assert wrong == []


def _is_fault(message: Any) -> bool:
    # The page of a run that does not exist is answered with 404, which browsers report.
    return message.type == "error" and "404" not in message.text


def open_page(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector("html[data-ready]", state="attached")


def test_by_keyboard_from_a_folder_to_an_example_and_back(url: str, page: Any) -> None:
    open_page(page, url)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/run?run=one")
    page.locator("[data-go]").press("Enter")
    page.wait_for_url("**/examples?**")
    page.wait_for_selector("html[data-ready]", state="attached")
    grid = page.url
    page.locator("td.cell a").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.getAttribute('href')")
    assert page.evaluate("document.activeElement.closest('td').cellIndex") == 4
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{chosen}")
    page.wait_for_selector("html[data-ready]", state="attached")
    first = page.locator("h1").inner_text()
    page.locator("main").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda found: not found.endswith(chosen))
    assert page.locator("h1").inner_text() != first
    page.go_back()
    page.wait_for_url(f"**{chosen}")
    assert page.locator("h1").inner_text() == first
    page.wait_for_selector("html[data-ready]", state="attached")
    page.keyboard.press("Escape")
    page.wait_for_url(grid.replace(url, "**"))


def test_slash_searches_and_the_address_holds_the_state(url: str, page: Any) -> None:
    open_page(page, f"{url}/examples?run=one")
    page.keyboard.press("/")
    page.keyboard.type("is 3 odd")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=is+3+odd**")
    assert page.locator("table.grid tbody tr").count() == 1
    page.wait_for_selector("html[data-ready]", state="attached")
    page.locator("select[name=show]").select_option("always-wrong")
    page.wait_for_url("**show=always-wrong**")
    assert "No example fits." in page.locator("table.grid").inner_text()
    assert "group=" not in page.url  # fields at their defaults


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/run?run=one",
        "/examples?run=one&base=w/a&show=changed",
        "/example?run=one&example=e2",
        "/compare?run=one&other=two",
        "/run?run=none",
    ],
)
def test_pages_are_accessible_and_fit_a_phone(url: str, page: Any, path: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        open_page(page, url + path)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        found = axe.Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_colours_that_were_chosen_stay(url: str, page: Any) -> None:
    page.emulate_media(color_scheme="light")
    open_page(page, url)
    page.get_by_role("button", name="Dark colours").click()
    open_page(page, f"{url}/run?run=one")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.get_by_role("button", name="Light colours").click()
