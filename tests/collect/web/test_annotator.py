"""The annotator's way: link, licence, form, autosave, preview, submission, and what comes back."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from phraseproof.collect.web.annotator import task_states
from phraseproof.collect.web.app import application
from phraseproof.collect.web.form_tasks import form_tasks, sample_of
from support.collect_site import TASK, CollectSite
from support.collect_tasks import tickets

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def site(tmp_path: Path) -> CollectSite:
    return CollectSite(tmp_path / "project")


def test_a_link_opens_what_is_asked_and_the_licence(site: CollectSite) -> None:
    page = site.browser().get(f"/i/{site.token('Ada')}").text
    assert "Welcome, Ada" in page
    assert "CC0-1.0" in page
    assert "you write 3 instructions" in page


def test_who_does_not_agree_does_not_enter(site: CollectSite) -> None:
    browser, token = site.browser(), site.token("Ada")
    browser.get(f"/i/{token}")
    refused = browser.post(f"/i/{token}")
    assert refused.status_code == 400
    assert "Please agree to the licence first." in refused.text
    assert browser.get("/tasks").status_code == 403
    assert site.store.invitation_called("Ada").agreed_at is None


def test_who_agrees_enters_and_the_agreement_is_stored(site: CollectSite) -> None:
    browser = site.annotator()
    person = site.store.invitation_called("Ada")
    assert person.agreed_at is not None
    assert person.licence == "CC0-1.0"
    page = browser.get("/tasks").text
    assert "0 of 3 written" in page
    assert "You write as Ada." in page


def test_who_comes_again_continues_without_agreeing_again(site: CollectSite) -> None:
    token = site.token("Ada")
    site.browser().enter(token, agree="yes")
    again = site.browser()
    assert "I agree" not in again.get(f"/i/{token}").text
    assert again.post(f"/i/{token}").headers["location"] == "/tasks"


@pytest.mark.parametrize(("days", "sentence"), [(30, "The link is not valid"), (-1, "The link has expired")])
def test_links_that_give_no_access(site: CollectSite, days: float, sentence: str) -> None:
    token = site.token("Ada", days=days)
    answer = site.browser().get(f"/i/{token}{'x' if days > 0 else ''}")
    assert answer.status_code == 403
    assert sentence in answer.text


def test_the_form_shows_fields_examples_and_a_worked_example(site: CollectSite) -> None:
    page = site.annotator().get("/tasks/1").text
    for text in (
        "{{ message }}",
        "{{ sent_at }}",
        "I was charged twice.",
        "Someone wrote:",
        "Zero-shot 2",
        "Few-shot 1",
    ):
        assert text in page
    assert "Which team answers &lt;b&gt;a customer&#39;s message" in page
    assert page.count("<textarea") == 3


def test_a_save_stores_the_row_and_shows_what_the_model_would_see(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    answer = browser.save("zero-shot/1", "Which team should answer?")
    assert answer.status_code == 200
    assert 'data-base="1"' in answer.text
    assert "It can be used." in answer.text
    assert "Message: I was charged twice." in answer.text
    (stored,) = site.store.wordings()
    assert (stored.text, stored.kind, stored.row, stored.form, stored.answer) == (
        *("Which team should answer?", "zero-shot", 1),
        *("ask", None),
    )
    assert "Which team should answer?</textarea>" in browser.get("/tasks/1").text


def test_problems_are_shown_as_they_arise(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    answer = browser.save("zero-shot/1", "Read {{ mesage }}")
    assert "No field is called “mesage”. Did you mean “message”?" in answer.text
    assert browser.save("zero-shot/1", "{{ message", base=1).text.count("cannot be read") == 2


def test_settings_of_a_row_are_stored(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("few-shot/1", "{{ message }}\r\n{{ choices | enumerate }}", whole="yes", answer="text")
    (stored,) = site.store.wordings()
    assert (stored.form, stored.answer, stored.text) == ("template", "text", "{{ message }}\n{{ choices | enumerate }}")
    page = browser.get("/tasks/1").text
    assert 'value="text" selected' in page
    assert 'id="few-shot-1-whole" checked' in page


def test_similar_texts_of_others_are_shown_once_they_are_submitted(site: CollectSite) -> None:
    ada, ben = site.annotator(), site.annotator("Ben")
    for browser in (ada, ben):
        browser.get("/tasks/1")
    ada.save("zero-shot/1", "Which team should answer this message?")
    assert "Similar texts" not in ben.save("zero-shot/1", "Which team should answer this?").text
    ada.post("/tasks/1/submit")
    # Texts of others may be some seconds old: a server that just began reads them now.
    site.app = application(site.store.folder, base_url=site.base_url, tasks={TASK: tickets()})
    new = site.annotator("Cleo")
    new.get("/tasks/1")
    answer = new.save("zero-shot/1", "Which team should answer this?").text
    assert "Similar texts that exist" in answer
    assert "Which team should answer this message?" in answer


def test_a_whole_form_is_saved_and_submitted_without_a_script(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    fields = {"zero-shot-1.text": "Which team?", "zero-shot-2.text": "", "few-shot-1.text": "Whose message is it?"}
    saved = browser.post("/tasks/1/save", **fields, show="zero-shot-1")
    assert saved.headers["location"] == "/tasks/1?show=zero-shot-1#zero-shot-1"
    assert '<details class="preview" open>' in browser.get(saved.headers["location"]).text
    assert "Everything is saved." in browser.get(browser.post("/tasks/1/save", **fields).headers["location"]).text
    sent = browser.post("/tasks/1/submit", **fields)
    assert sent.headers["location"] == "/tasks/1?submitted=2#state"
    assert "2 texts were submitted" in browser.get(sent.headers["location"]).text
    assert {each.status for each in site.store.wordings()} == {"submitted"}


def test_texts_with_errors_are_saved_and_not_submitted(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    fields = {"zero-shot-1.text": "Which team?", "zero-shot-2.text": "{{ nothing }}"}
    answer = browser.post("/tasks/1/submit", **fields)
    assert answer.status_code == 400
    assert 'href="#zero-shot-2"' in answer.text
    assert [(each.text, each.status) for each in site.store.wordings()] == [
        ("Which team?", "draft"),
        ("{{ nothing }}", "draft"),
    ]


def test_returned_texts_are_shown_with_the_comment(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/1", "Which team?")
    browser.post("/tasks/1/submit")
    (stored,) = site.store.wordings()
    site.store.send_back(stored.id, f"Longer, please. {HOSTILE}", by="owner")
    for path in ("/tasks", "/tasks/1"):
        page = browser.get(path).text
        assert "Longer, please. &lt;script&gt;" in page
        assert "<script>alert" not in page


def test_an_accepted_row_cannot_be_changed(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/1", "Which team?")
    browser.post("/tasks/1/submit")
    (stored,) = site.store.wordings()
    site.store.accept(stored.id, by="owner")
    assert browser.save("zero-shot/1", "Another text", base=1).status_code == 409  # not said to be saved
    assert "Not saved:" in browser.post("/tasks/1/save", **{"zero-shot-1.text": "Another text"}).text
    assert browser.post("/tasks/1/save", **{"zero-shot-1.text": "Which team?"}).status_code == 303
    assert site.store.wordings()[0].text == "Which team?"
    assert " readonly>" in browser.get("/tasks/1").text


def test_hostile_texts_are_shown_as_text(site: CollectSite) -> None:
    browser = site.annotator(HOSTILE[:70])
    browser.get("/tasks/1")
    text = f"{HOSTILE}</textarea>{{{{ message }}}}"
    answer = browser.save("zero-shot/1", text)
    page = browser.get("/tasks/1").text
    for shown in (answer.text, page, browser.get("/tasks").text):
        assert "<script>alert" not in shown
        assert "<img" not in shown
    assert "&lt;/textarea&gt;" in page


def test_a_row_written_in_two_windows_keeps_both_texts(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/1", "First.")
    browser.save("zero-shot/1", "From window one.", base=1)
    answer = browser.save("zero-shot/1", "From window two.", base=1)
    assert "also changed elsewhere" in answer.text
    (stored,) = site.store.wordings()
    assert stored.text == "From window two."
    assert [each.text for each in site.store.history(stored.id)][-2:] == ["From window one.", "From window two."]


def test_task_states(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    browser.save("zero-shot/1", "Which team?")
    made = form_tasks(site.store.project, {TASK: sample_of(tickets())})
    fake = SimpleNamespace(store=site.store, project=site.store.project, tasks=made)
    (state,) = task_states(fake, site.store.invitation_called("Ada"))  # type: ignore[arg-type]
    assert (state.written, state.done, state.asked) == (1, 0, 3)


@pytest.mark.parametrize("path", ["/tasks/2", "/tasks/0", "/tasks/x", "/tasks/²", "/nothing"])
def test_there_is_no_such_page(site: CollectSite, path: str) -> None:
    answer = site.annotator().get(path)
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


@pytest.mark.parametrize("row", ["zero-shot/3", "zero-shot/0", "other/1"])
def test_rows_that_are_not_asked_are_not_stored(site: CollectSite, row: str) -> None:
    browser = site.annotator()
    browser.get("/tasks/1")
    answer = browser.save(row, "text")
    assert answer.status_code == 404
    assert site.store.wordings() == ()


def test_who_leaves_has_to_open_the_link_again(site: CollectSite) -> None:
    browser = site.annotator()
    browser.get("/tasks")
    assert browser.post("/leave").headers["location"] == "/"
    assert browser.get("/tasks").status_code == 403
