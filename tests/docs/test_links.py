"""Every link of the pages of the project and of docs/ to a file or heading of the repository leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.building.blocks import ROOT, page_name, pages

PAGES = [*(ROOT / f"{name}.md" for name in ("CHANGELOG", "CONTRIBUTING", "SECURITY", "examples/README")), *pages()]
_FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, by GitHub's rule: lower case, no punctuation, hyphens for spaces."""
    headings: list[str] = _HEADING.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """The links of a page to files and headings that do not exist."""
    text = _FENCED.sub("", page.read_text(encoding="utf-8"))
    found: list[str] = []
    links: list[str] = _LINK.findall(text)
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links(page: Path) -> None:
    assert broken_links(page) == []


def test_what_is_broken_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Half precision: why\n\n```\n# not a heading\n```\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](other.md#half-precision-why) [b](other.md) [c](https://example.org/none)\n"
        "[d](other.md#not-a-heading) [e](none.md)",
        encoding="utf-8",
    )
    assert broken_links(page) == ["other.md#not-a-heading", "none.md"]
