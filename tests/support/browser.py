"""A real browser for the tests of pages: headless Chromium, without a network."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


@contextmanager
def launched() -> Generator[Any]:
    """A browser; skips the test, with a reason, where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page opened from disk, with what it said and asked for.

    Attributes:
        page: Playwright's page, its charts drawn.
        said: lines on the console, and errors.
        asked: addresses that were requested.
        dialogs: messages of dialogs that it opened.
    """

    def __init__(self, context: Any, path: Path) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.dialogs: list[str] = []
        self.page = context.new_page()
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("dialog", self._dialog)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]", timeout=120_000)

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@contextmanager
def opened(browser: Any, path: Path, **settings: Any) -> Generator[Opened]:
    """Open a page with the network off; `settings` go to Playwright's `new_context`."""
    options: Mapping[str, Any] = {"viewport": {"width": 1100, "height": 900}, "offline": True} | settings
    context = browser.new_context(**options)
    try:
        yield Opened(context, path)
    finally:
        context.close()
