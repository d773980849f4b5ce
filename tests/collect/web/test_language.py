"""English and German: every sentence has its translation, and the visitor's choice counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from phraseproof.collect.web.language import LOCALE, chosen_language, shown_date, shown_time, translations
from phraseproof.collect.web.pages import TEMPLATES
from support.collect_site import CollectSite

KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def sentences() -> set[str]:
    """Every sentence of pages and code; of one with a plural, the singular."""
    found: set[str] = set()
    for path in TEMPLATES.glob("*.j2"):
        for _, _, message, _ in babel_extract(BytesIO(path.read_bytes()), list(KEYWORDS), [], {}):
            found.add(message if isinstance(message, str) else next(part for part in message or () if part))
    for path in TEMPLATES.parent.glob("*.py"):
        for _, message, _, _ in extract("python", BytesIO(path.read_bytes()), keywords=KEYWORDS):
            found.add(message if isinstance(message, str) else message[0])
    return found


def test_every_sentence_is_translated_and_no_translation_is_left_over() -> None:
    catalogue = read_po(BytesIO((LOCALE / "de" / "messages.po").read_bytes()), locale="de")
    entries = {entry.id if isinstance(entry.id, str) else entry.id[0]: entry for entry in catalogue or () if entry.id}
    assert len(entries) > 150
    assert set(entries) == sentences()
    for name, entry in entries.items():
        texts = [entry.string] if isinstance(entry.string, str) else list(entry.string or ())
        assert texts, name
        assert all(texts), name
        ids = [entry.id] if isinstance(entry.id, str) else list(entry.id)
        wanted = set(re.findall(r"%\(\w+\)s|\{\{.*?\}\}", ids[-1]))
        assert all(set(re.findall(r"%\(\w+\)s|\{\{.*?\}\}", text)) == wanted for text in texts), name


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, None, "en"),
        (None, "de-AT,de;q=0.9,en;q=0.5", "de"),
        (None, "fr, de;q=0.4, en;q=0.3", "de"),
        (None, "en;q=0.2, de;q=0", "en"),
        (None, "xx;q=y," * 400, "en"),
        ("de", "en", "de"),
        ("fr", "en", "en"),
    ],
)
def test_chosen_language(cookie: str | None, accepted: str | None, language: str) -> None:
    assert chosen_language(("en", "de"), cookie, accepted) == language


def test_the_first_language_of_a_project_is_its_default() -> None:
    assert chosen_language(("de", "en"), None, "fr") == "de"
    assert chosen_language(("de",), "en", "en") == "de"


def test_times_and_texts_in_both_languages() -> None:
    moment = datetime(2026, 3, 1, 14, 5, 6, tzinfo=UTC)
    assert shown_date(moment, "de") == "1. März 2026"
    assert shown_time(moment, "de") == "01.03.2026, 14:05:06 UTC"
    assert shown_date(moment, "en") == "March 1, 2026"
    assert translations("de").gettext("Delete") == "Löschen"
    assert translations("en").gettext("Delete") == "Delete"


def test_the_form_in_german_by_browser_and_by_choice(tmp_path: Path) -> None:
    site = CollectSite(tmp_path / "project")
    page = site.browser().get("/", **{"accept-language": "de"}).text
    assert '<html lang="de">' in page
    assert "Hier werden Formulierungen gesammelt" in page
    browser = site.annotator()
    answer = browser.get("/language/de?next=/tasks/1")
    assert answer.headers["location"] == "/tasks/1"
    page = browser.get("/tasks/1").text
    assert "Alles speichern" in page
    assert "Der Text ist verwendbar." in browser.save("zero-shot/1", "Which team?").text


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_switch_leads_nowhere_else(tmp_path: Path, target: str) -> None:
    answer = CollectSite(tmp_path / "project").browser().client.get("/language/de", params={"next": target})
    assert answer.headers["location"] == "/"
