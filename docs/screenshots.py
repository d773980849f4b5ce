"""The pictures in the README and in docs/report.md: the pocket model's report, photographed by headless Chromium.

make screenshots
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

IMAGES = Path(__file__).parent / "images"
RUN = Path("runs/screenshots/all-tasks")
PAGE = Path("runs/screenshots/report.html")
DESK = {"width": 1000, "height": 760}
PHONE = {"width": 390, "height": 760}


def phraseproof(*arguments: str | Path) -> None:
    """Run the program as a user does."""
    subprocess.run([sys.executable, "-m", "phraseproof", *map(str, arguments)], check=True)  # noqa: S603 - our own program


def photograph(browser: Browser, name: str, size: dict[str, int], *, dark: bool = False, section: str = "") -> None:
    """The window as it opens, or one section of the page."""
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=1.5,
        offline=True,
    )
    page = context.new_page()
    page.goto(PAGE.absolute().as_uri())
    page.wait_for_selector("html[data-ready]")
    if section:
        page.locator(f"section[aria-labelledby='{section}']").screenshot(path=IMAGES / f"{name}.png")
    else:
        page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def main() -> None:
    """Evaluate the pocket model (some twenty seconds), write its report, and take the pictures."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    groups = ("--observed", "pocket-observed", "--unobserved", "pocket-validation")
    phraseproof("evaluate", "--model", "pocket", "--tasks", "pocket", *groups, "--limit", "10", "--out", RUN, "--quiet")
    phraseproof("report", RUN, "--out", PAGE)
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        photograph(browser, "report", DESK)
        photograph(browser, "report-dark", DESK, dark=True)
        photograph(browser, "report-phone", PHONE)
        photograph(browser, "report-wordings", DESK, section="r0-k0-strip")
        photograph(browser, "report-flips", DESK, section="r0-k0-flips")
        browser.close()


if __name__ == "__main__":
    main()
