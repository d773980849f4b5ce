"""The owner changes title, descriptions and worked examples, and annotators see it at once."""

from __future__ import annotations

from pathlib import Path

from phraseproof.collect.store import CollectStore
from support.collect_site import CollectSite


def test_changed_texts_are_shown_at_once_and_kept(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    ada, owner = site.annotator(), site.owner()
    owner.get("/owner/texts")
    sent = {"title": "New <title>", "1.description": "What it is.", "1.worked": "Who should answer {{ mesage }}?"}
    answer = owner.post("/owner/texts", **sent)
    page = owner.get(answer.headers["location"]).text
    assert "Everything is saved." in page
    assert "Did you mean “message”?" in page
    shown = ada.get("/tasks/1").text
    for text in ("New &lt;title&gt;", "What it is.", "Who should answer {{ mesage }}?"):
        assert text in shown
    with CollectStore.open(tmp_path / "project") as store:
        assert store.project.tasks[0].description == "What it is."
        assert store.project.licence == "CC0-1.0"


def test_emptied_texts_go_back_to_the_forms_own(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    owner = site.owner()
    owner.get("/owner/texts")
    owner.post("/owner/texts")
    assert site.store.project.title == "Tickets"
    assert "decide which of these fits" in site.annotator().get("/tasks/1").text


def test_the_page_is_the_owners(tmp_path: Path) -> None:
    assert CollectSite(tmp_path / "project").annotator().get("/owner/texts").status_code == 403
