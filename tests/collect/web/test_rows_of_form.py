"""What a sent form says about a row, and what an old page does to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.collect.web.rows_of_form import SentRow, sent_row
from support.collect_site import CollectSite


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ({}, None),
        ({"r.text": "a\r\nb"}, SentRow("a\nb", None, "ask", None)),
        ({"r.text": "", "r.answer": "letter", "r.whole": "yes", "r.base": "3"}, SentRow("", "letter", "template", 3)),
        ({"r.text": "a", "r.answer": "{{ choice }}", "r.base": "-1"}, SentRow("a", None, "ask", None)),
        ({"r.text": "a", "r.base": "9" * 20}, SentRow("a", None, "ask", None)),
    ],
)
def test_sent_row(form: dict[str, str], row: SentRow | None) -> None:
    assert sent_row(form, "r") == row


def test_an_old_page_does_not_undo_what_was_written_since(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/1", "Old.")
    browser.save("zero-shot/1", "New.", base=1)
    # A page that shows revision 1 saves another row; the form holds all rows.
    fields = {"zero-shot-1.text": "Old.", "zero-shot-1.base": "1", "zero-shot-2.text": "Two.", "zero-shot-2.base": "0"}
    browser.post("/tasks/1/save", **fields)
    assert [each.text for each in site.store.wordings()] == ["New.", "Two."]
    # Changed in the old page, it counts: the last writer wins.
    browser.post("/tasks/1/save", **{**fields, "zero-shot-1.text": "Newest."})
    assert site.store.wordings()[0].text == "Newest."


def test_a_row_may_be_cleared_and_empty_rows_are_not_stored(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/2", "  ")
    assert site.store.wordings() == ()
    browser.save("zero-shot/1", "Text.")
    browser.save("zero-shot/1", "", base=1)
    assert site.store.wordings()[0].text == ""
    assert "0 of 3 written" in browser.get("/tasks").text


def test_an_answer_form_that_the_page_cannot_show_is_kept(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/1", "Text.")
    (wording,) = site.store.wordings()
    template = "{{ choice | upper }}"
    place = (wording.invitation_id, wording.task, wording.kind, wording.row)
    site.store.save(*place, "Text.", answer=template, base=1)
    browser.save("zero-shot/1", "Text.", base=2)
    assert [(each.answer, each.revision) for each in site.store.wordings()] == [(template, 2)]
    browser.save("zero-shot/1", "Another text.", base=2)
    assert site.store.wordings()[0].answer == template
    fields = {"zero-shot-1.text": "Text.", "zero-shot-1.base": "3", "zero-shot-1.answer": "letter"}
    browser.post("/tasks/1/save", **fields)
    assert site.store.wordings()[0].answer == "letter"
