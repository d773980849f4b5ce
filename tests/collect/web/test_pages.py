"""Templates escape what people write, in every language."""

from __future__ import annotations

import pytest

from phraseproof.collect.records import Project, ProjectTask
from phraseproof.collect.web.pages import PageTemplates


@pytest.mark.parametrize("language", ["en", "de"])
def test_values_are_escaped(language: str) -> None:
    pages = PageTemplates(("en", "de"))
    project = Project("<b>Title</b>", "CC0", (ProjectTask("t", "t"),))
    values = {"project": project, "person": None, "csrf": "c", "here": '/"><script>', "heading": "<i>", "sentence": "&"}
    page = pages.render("error.html.j2", language, detail="<script>alert(1)</script>", **values)
    assert "<script" not in page
    assert "&lt;b&gt;Title&lt;/b&gt;" in page


def test_languages_that_do_not_exist_are_left_out() -> None:
    assert PageTemplates(("xx", "de")).languages == ("de",)
    assert PageTemplates(("xx",)).languages == ("en",)
    assert PageTemplates(("de",)).gettext("de")("Delete") == "Löschen"
