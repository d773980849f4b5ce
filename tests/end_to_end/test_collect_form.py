"""The form in a real browser: both ways by keyboard on a phone, a server that is killed, and hostile texts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from phraseproof.collect.invitations import link_of
from phraseproof.collect.records import Role
from phraseproof.collect.rows import now
from phraseproof.collect.store import CollectStore
from support.browser import launched

PHONE = {"width": 390, "height": 800}
SERIOUS = ("serious", "critical")
TASK = "everyday/reviews"


class Served:
    """`phraseproof collect serve` in a process of its own."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        arguments = ("collect", "serve", TASK, "--out", str(folder), "--port", str(port))
        rows = ("--zero-shot", "2", "--few-shot", "1")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "phraseproof", *arguments, *rows],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )
        assert self.process.stdout is not None
        self.owner_link = self.process.stdout.readline().strip().removeprefix("owner: ")
        self.base = self.owner_link.partition("/i/")[0]
        self.port = int(self.base.rpartition(":")[2])

    def link(self, name: str, role: Role = "annotator") -> str:
        """The link of a person who is invited now."""
        with CollectStore.open(self.folder) as store:
            person = store.invite(name, expires=now() + timedelta(days=1), role=role)
            return link_of(self.folder, person, self.base)

    def end(self, how: int) -> int:
        """Stop the process by a signal; its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def served(folder: Path, port: int = 0) -> Generator[Served]:
    made = Served(folder, port)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> Generator[Served]:
    with served(tmp_path_factory.mktemp("collect") / "project") as made:
        yield made


@contextmanager
def phone(browser: Any, scheme: str = "light") -> Generator[Any]:
    """A page of a phone's width, which fails on errors, dialogs and requests to elsewhere."""
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("request", lambda asked: None if "//127.0.0.1:" in asked.url else wrong.append(asked.url))
    page.wrong = wrong
    try:
        yield page
    finally:
        context.close()


def reach(page: Any, selector: str) -> None:
    """Press Tab until the focus is on an element."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def require_accessible(page: Any, *schemes: str) -> None:
    """No serious finding of axe, with everything unfolded, and nothing wider than the screen."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        found = [each for each in axe.Axe().run(page).response["violations"] if each["impact"] in SERIOUS]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def write(page: Any, row: str, text: str, said: str) -> None:
    """Go to a row by keyboard, write, and wait for what the form says about it."""
    reach(page, f"#{row}-text")
    page.keyboard.type(text)
    page.wait_for_function(
        "([id, said]) => document.getElementById(id).textContent.includes(said)", arg=[f"{row}-said", said]
    )


@pytest.mark.slow
def test_the_ways_of_an_annotator_and_an_owner_by_keyboard_on_a_phone(browser: Any, form: Served) -> None:
    with phone(browser) as page, phone(browser, "dark") as owner:
        page.goto(form.link("Ada"))
        require_accessible(page, "dark", "light")
        reach(page, "#agree")
        page.keyboard.press("Space")
        reach(page, "button.primary")
        page.keyboard.press("Enter")
        page.wait_for_url("**/tasks")
        require_accessible(page, "dark", "light")
        reach(page, "main a[href='/tasks/1']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/tasks/1")
        write(page, "zero-shot-1", "Is this reveiw {{ qestion }} good?", "Did you mean “question”?")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("Is this review good? ")
        reach(page, "#zero-shot-1 button[data-insert='{{ question }}']")
        page.keyboard.press("Enter")
        page.wait_for_selector("#zero-shot-1 details.preview pre")
        assert page.input_value("#zero-shot-1-text").endswith("{{ question }}")
        write(page, "zero-shot-2", "What does the writer think?", "Saved. It can be used.")
        require_accessible(page, "dark", "light")
        reach(page, "button[formaction$='submit']")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=2 texts were submitted for review.")

        owner.goto(form.owner_link)
        owner.wait_for_function("document.activeElement.matches('button.primary')")  # it has the focus
        owner.keyboard.press("Enter")
        owner.wait_for_url("**/owner")
        require_accessible(owner, "light", "dark")
        reach(owner, "main a[href='/owner/review']")
        owner.keyboard.press("Enter")
        owner.wait_for_url("**/owner/review")
        require_accessible(owner, "light", "dark")
        reach(owner, "main li a")
        owner.keyboard.press("Enter")
        owner.wait_for_url("**/owner/wordings/*")
        require_accessible(owner, "light", "dark")
        owner.wait_for_function("document.activeElement.matches('button.primary')")
        owner.keyboard.press("Enter")
        owner.wait_for_selector("text=1 text waits.")
        reach(owner, "#comment")
        owner.keyboard.type("Please name the two answers.")
        reach(owner, "button")
        owner.keyboard.press("Enter")
        owner.wait_for_url("**/owner/review")
        with CollectStore.open(form.folder) as store:
            deletion = f"/owner/people/{store.invitation_called('Ada').id}/delete"
        for path in ("/", "/owner/people", deletion, "/owner/texts", "/owner/export"):
            owner.goto(form.base + path)
            require_accessible(owner, "light", "dark")
        page.goto(f"{form.base}/tasks")
        assert "Please name the two answers." in page.inner_text("main")
        page.click("text=Deutsch")
        page.wait_for_selector("html[lang='de']")
        require_accessible(page, "dark", "light")
        assert page.wrong == owner.wrong == []
        # Last, because the browser writes the status to its console.
        assert page.goto(f"{form.base}/owner").status == 403
        require_accessible(page, "dark", "light")


@pytest.mark.slow
def test_a_killed_server_loses_nothing_that_two_people_wrote(browser: Any, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    with served(folder) as first, phone(browser) as ada, phone(browser) as ben:
        for page, name in ((ada, "Ada"), (ben, "Ben")):
            page.goto(first.link(name))
            page.check("#agree")
            page.click("button.primary")
            page.goto(f"{first.base}/tasks/1")
            page.fill("#zero-shot-1-text", f"{name}, before the end")
            page.wait_for_selector("#zero-shot-1 [data-state][data-base='1']")
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        for page, name in ((ada, "Ada"), (ben, "Ben")):
            page.fill("#zero-shot-2-text", f"{name}, while no one answers")
            page.wait_for_selector("#zero-shot-2-said.failed")
        window = ada.context
        ada.close()  # Ada's page ends, too; Ben's stays open
        with served(folder, first.port) as second:
            assert second.base == first.base
            again = window.new_page()
            again.set_default_timeout(60_000)
            again.goto(f"{second.base}/tasks/1")
            for page in (again, ben):
                page.wait_for_selector("#zero-shot-2 [data-state][data-base='1']")
            assert second.end(signal.SIGINT) == 0
    with CollectStore.open(folder) as store:
        names = {each.id: each.pseudonym for each in store.invitations()}
        assert sorted((names[each.invitation_id], each.row, each.text) for each in store.wordings()) == [
            (name, row, f"{name}, {when}")
            for name in ("Ada", "Ben")
            for row, when in ((1, "before the end"), (2, "while no one answers"))
        ]


@pytest.mark.slow
def test_hostile_texts_and_names_are_inert(browser: Any, form: Served) -> None:
    hostile = "<script>alert(1)</script><img src=//evil.example/x onerror=alert(2)>{{ question.__class__ }}"
    name = "<img src=x onerror=alert(3)>"
    with phone(browser) as page, phone(browser) as owner:
        page.goto(form.link(name))
        page.check("#agree")
        page.click("button.primary")
        page.goto(f"{form.base}/tasks/1")
        page.fill("#few-shot-1-text", hostile)
        page.wait_for_selector("#few-shot-1 .problem.error")
        page.fill("#few-shot-1-text", hostile.partition("{{")[0])
        page.wait_for_selector("#few-shot-1 details.preview pre")
        page.click("button[formaction$='submit']")
        page.wait_for_selector("text=1 text was submitted for review.")
        owner.goto(form.owner_link)
        owner.click("button.primary")
        owner.wait_for_url("**/owner")
        owner.goto(f"{form.base}/owner/review?status=submitted")
        owner.click(f"main li a:has-text('{name}')")
        owner.wait_for_selector("#comment")
        owner.fill("#comment", hostile)
        owner.click("text=Return, and go to the next")
        page.goto(f"{form.base}/tasks/1")
        for each in (page, owner):
            assert each.locator("main img").count() == 0
            assert each.wrong == []
        assert hostile in page.inner_text("#few-shot-1")
