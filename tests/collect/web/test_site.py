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
    clock = [100.0]
    monkeypatch.setattr("phraseproof.collect.web.site.time.monotonic", lambda: clock[0])
    recent = RecentWordings(site.store)
    assert [each.text for each in recent.of(TASK)] == ["One."]
    browser.save("zero-shot/2", "Two.")
    assert len(recent.of(TASK)) == 1
    clock[0] += 10
    assert len(recent.of(TASK)) == 2
