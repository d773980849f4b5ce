"""The application: which addresses there are, and that the same folder serves again after a restart."""

from __future__ import annotations

from pathlib import Path

from phraseproof.collect.web.app import application
from support.collect_site import CollectSite
from support.collect_tasks import tickets


def test_the_front_page_and_the_check_of_proxies(tmp_path: Path) -> None:
    browser = CollectSite(tmp_path / "project").browser()
    assert "Open the link that you received" in browser.get("/").text
    assert browser.get("/health").text == "ok"
    assert browser.get("/static/collect.css").status_code == 200
    assert browser.get("/static/../app.py").status_code == 404


def test_a_second_application_on_the_folder_knows_cookies_and_texts(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/1", "Kept.")
    site.store.close()
    site.app = application(tmp_path / "project", base_url=site.base_url, tasks={"tickets": tickets()})
    again = site.browser()
    again.client.cookies.update(browser.client.cookies)
    assert "Kept.</textarea>" in again.get("/tasks/1").text
    assert again.save("zero-shot/1", "Kept, and changed.", base=1).status_code == 200
