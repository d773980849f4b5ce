from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from phraseproof.reports.html.page_templates import page_templates


def test_data_is_escaped_and_unknown_names_are_errors(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>{{ text | twice }}</p>\n")
    templates = page_templates(tmp_path, {"twice": lambda text: text + text})
    page = templates.get_template("page.html")
    assert page.render(text="<b>") == "<p>&lt;b&gt;&lt;b&gt;</p>"
    with pytest.raises(jinja2.UndefinedError):
        page.render()
