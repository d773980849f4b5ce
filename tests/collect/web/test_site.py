"""What pages share: tasks by number, and wordings of others that are read once for some seconds."""

from __future__ import annotations

from pathlib import Path

from phraseproof.collect.web.site import RecentWordings
from support.collect_site import TASK, CollectSite


def test_recent_wordings_are_read_once_for_some_seconds(tmp_path: Path, monkeypatch) -> None:
    site = CollectSite(tmp_path / "project")
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/1", "One.")
    browser.post("/tasks/1/submit")
    clock = [100.0]
    monkeypatch.setattr("phraseproof.collect.web.site.time.monotonic", lambda: clock[0])
    recent = RecentWordings(site.store)
    assert recent.of(TASK).pairs.texts == ("One.",)
    assert recent.of(TASK).authors == (site.id_of("Ada"),)
    browser.save("zero-shot/2", "Two.")
    browser.post("/tasks/1/submit")
    assert len(recent.of(TASK).authors) == 1
    clock[0] += 10
    assert recent.of(TASK).pairs.texts == ("One.", "Two.")
    browser.save("zero-shot/2", "Two, a draft again.", base=2)
    clock[0] += 10
    assert recent.of(TASK).pairs.texts == ("One.",)
