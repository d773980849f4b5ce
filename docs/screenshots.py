"""The pictures in README.md, docs/report.md and docs/collect.md, photographed by headless Chromium.

make screenshots    (all), or: python docs/screenshots.py demo|report|collect
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from phraseproof.collect.invitations import link_of
from phraseproof.collect.rows import now
from phraseproof.collect.store import CollectStore

IMAGES = Path(__file__).parent / "images"
RUN = Path("runs/screenshots/all-tasks")
PAGE = Path("runs/screenshots/report.html")
DEMO = Path("runs/demo/smollm2")
"""Made by `phraseproof demo`."""

DEMO_PAGE = Path("runs/screenshots/demo.html")
DESK = {"width": 1000, "height": 760}
SECTION = {"width": 540, "height": 760}
PHONE = {"width": 390, "height": 760}


def phraseproof(*arguments: str | Path) -> None:
    """Run the program as a user does."""
    subprocess.run([sys.executable, "-m", "phraseproof", *map(str, arguments)], check=True)


def photograph(
    browser: Browser,
    name: str,
    size: dict[str, int],
    *,
    dark: bool = False,
    section: str = "",
    of: Path = PAGE,
    hidden: str = "",
) -> None:
    """The window as it opens, or one section of the page, without what a selector hides."""
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=1.5,
        offline=True,
    )
    page = context.new_page()
    page.goto(of.absolute().as_uri())
    page.wait_for_selector("html[data-ready]")
    if hidden:
        page.locator(hidden).evaluate_all("all => all.forEach(one => one.remove())")
    if section:
        page.locator(f"section[aria-labelledby='{section}']").screenshot(path=IMAGES / f"{name}.png")
    else:
        page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def demo(browser: Browser) -> None:
    """The picture of README.md: the wordings of the demo's real model (some minutes, unless the demo was run here)."""
    if not (DEMO / "run.json").exists():
        phraseproof("demo", "--limit", "2", "--quiet")
    phraseproof("report", DEMO, "--out", DEMO_PAGE)
    for dark in (False, True):
        photograph(
            browser,
            "demo-wordings-dark" if dark else "demo-wordings",
            SECTION,
            dark=dark,
            section="r0-k0-strip",
            of=DEMO_PAGE,
            hidden=".tools, .hint, figcaption",
        )


def report(browser: Browser) -> None:
    """Evaluate the pocket model (some twenty seconds), write its report, and take the pictures."""
    groups = ("--observed", "pocket-observed", "--unobserved", "pocket-validation")
    phraseproof("evaluate", "--model", "pocket", "--tasks", "pocket", *groups, "--limit", "10", "--out", RUN, "--quiet")
    phraseproof("report", RUN, "--out", PAGE)
    photograph(browser, "report", DESK)
    photograph(browser, "report-dark", DESK, dark=True)
    photograph(browser, "report-phone", PHONE)
    photograph(browser, "report-flips", DESK, section="r0-k0-flips")


# ------------------------------------------------------------------------------------------------------ docs/collect.md

ROWS = {
    "zero-shot-1": "Which team should handle this ticket?",
    "zero-shot-2": "Somebody wrote to us. Who ought to write back?",
    "zero-shot-3": "Read {{ qestion }} and name a team.",
}


def collect(browser: Browser) -> None:
    """Serve a form, write as an annotator, review as an owner, and take the pictures."""
    with tempfile.TemporaryDirectory() as temporary, served(Path(temporary) / "project") as (folder, owner_link):
        base = owner_link.partition("/i/")[0]
        with CollectStore.open(folder) as store:
            expires = now() + timedelta(days=30)
            links = {name: link_of(folder, store.invite(name, expires=expires), base) for name in ("Ada", "Ben")}
        with visiting(browser, links["Ada"], PHONE) as page:
            page.goto(f"{base}/tasks/1")
            for row, text in ROWS.items():
                page.fill(f"#{row}-text", text)
                page.wait_for_selector(f"#{row} details.preview")
            page.click("#zero-shot-2 details.preview summary")
            show(page, "#zero-shot-2", "collect-phone")
        with visiting(browser, links["Ben"], DESK) as page:
            page.goto(f"{base}/tasks/1")
            page.screenshot(path=IMAGES / "collect-task.png")
            page.fill("#zero-shot-1-text", "Which team should handle this message?")
            page.wait_for_selector("#zero-shot-1 details.preview")
            page.click("button[formaction$=submit]")
            page.wait_for_selector("text=submitted for review")
        with visiting(browser, owner_link, DESK, dark=True) as page:
            page.goto(f"{base}/owner/review")
            page.click("main li a")
            page.wait_for_selector("text=What the model would see, example 2")
            page.screenshot(path=IMAGES / "collect-review.png")


@contextmanager
def served(folder: Path) -> Generator[tuple[Path, str]]:
    """A form, and its owner's link."""
    options = ("--out", str(folder), "--port", "0", "--title", "Support tickets")
    command = (sys.executable, "-m", "phraseproof", "collect", "serve", "everyday/tickets", *options)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield folder, server.stdout.readline().strip().removeprefix("owner: ")
    finally:
        server.terminate()
        server.wait()


@contextmanager
def visiting(browser: Browser, link: str, size: dict[str, int], *, dark: bool = False) -> Generator[Page]:
    """A page whose visitor has opened a link and begun."""
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=1.5,
        locale="en-GB",
    )
    page = context.new_page()
    page.goto(link)
    if page.locator("#agree").count():
        page.check("#agree")
    page.click("button.primary")
    page.wait_for_url(lambda address: "/i/" not in address)
    yield page
    context.close()


def show(page: Page, selector: str, name: str) -> None:
    """The window with an element at its top."""
    page.locator(selector).evaluate("element => element.scrollIntoView()")
    page.screenshot(path=IMAGES / f"{name}.png")


def main() -> None:
    """Take the pictures that the command line names, or all."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    IMAGES.mkdir(exist_ok=True)
    wanted = sys.argv[1:] or ["demo", "report", "collect"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for take in (demo, report, collect):
            if take.__name__ in wanted:
                take(browser)
        browser.close()


if __name__ == "__main__":
    main()
