"""The page of a search among methods."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from phraseproof.reports.build.searches import SearchFolder
from phraseproof.reports.build.sources import Sources, open_sources
from phraseproof.reports.html.report import render_report
from phraseproof.reports.html.searches import search_view
from support.browser import launched, opened
from support.method_searches import LABEL
from support.stored_searches import write_search


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_search(tmp_path_factory.mktemp("search") / "search")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return render_report(open_sources([folder]))


def test_every_number_of_the_tables_is_on_the_page(folder: Path) -> None:
    (source,) = open_sources([folder]).searches
    view, found = search_view(source, 0), source.found
    assert [each.id for each in view.sets] == ["s0-test", "s0-unseen"]
    for name, shown in zip(found.reported, view.sets, strict=True):
        assert [row.name for row in shown.ways] == [way.name for way in found.ways]
        assert [row.name for row in shown.ways if row.is_chosen] == [LABEL]
        for row in shown.ways:
            gain = found.row(name, "", f"gain over calibrated: {row.name}")
            expected = "" if gain is None else f"{gain.estimate:+.1f}".replace("+0.0", "0.0").replace("-0.0", "0.0")
            assert row.cells[-1].text == expected
        for row in shown.tasks:
            trained = found.row(name, row.name, f"accuracy: {LABEL}")
            assert trained is not None
            assert row.cells[2].text == f"{trained.estimate:.1f}"
        dots = shown.wordings.data["wordings"]
        assert len(dots) == 3 * 2 * 8  # as it is, calibrated and trained, on two tasks with eight wordings
    assert [(row.method, row.is_chosen, row.cells[-1]) for row in view.candidates] == [
        ("as it is", False, "35.0"),
        ("pt", False, "40.0"),
        ("lora", True, "60.0"),
    ]


def test_the_page_says_what_is_recommended_and_how_to_repeat_it(folder: Path, page: str) -> None:
    found = open_sources([folder]).searches[0].found
    assert escape(found.recommendation, quote=False) in page
    assert escape(found.command) in page.replace("&#39;", "&#x27;")
    assert "<dt>seeds</dt><dd><bdi>0, 1</bdi></dd>" in page
    assert f"phraseproof report {folder / 'test' / 'base'}" in unescape(page)
    for link in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{link}"' in page


def test_the_page_of_a_run_leads_to_its_search(folder: Path) -> None:
    run = folder / "test" / "base"
    page = render_report(open_sources([run]))
    assert f"<code>phraseproof report {folder}</code>" in page
    both = render_report(open_sources([folder, run]))
    assert 'data-chart="s0-test-gains-chart"' in both
    assert 'data-chart="r0-k0-strip-chart"' in both


def test_a_page_without_the_runs_has_every_number(folder: Path, tmp_path: Path, page: str) -> None:
    (tmp_path / "search.json").write_bytes((folder / "search.json").read_bytes())
    alone = render_report(open_sources([tmp_path]))
    tables = re.compile("<table data-table=.*?</table>", re.DOTALL)
    assert tables.findall(alone) == tables.findall(page)


def test_names_are_escaped(folder: Path) -> None:
    (source,) = open_sources([folder]).searches
    found, hostile = source.found, '<img src=x onerror=alert(1)></script>"'
    last = found.ways[-1]
    changed = replace(
        found,
        recommendation=hostile,
        command=hostile,
        notes=[hostile + "!"],
        ways=(*found.ways[:-1], replace(last, name=hostile)),
        rows=[replace(row, statistic=row.statistic.replace(last.name, hostile)) for row in found.rows],
    )
    page = render_report(Sources((), (), (SearchFolder(source.path, changed),))).replace("<wbr>", "")
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x") >= 5


LONG = "lora+kl:gradient_accumulation=2:paraphrases_per_batch=1"
"""The name of a method with its settings."""

CUT = """all => all.flatMap(svg => {
    const box = svg.getBoundingClientRect();
    return Array.from(svg.querySelectorAll("text")).filter(text => {
        const own = text.getBoundingClientRect();
        return own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1;
    }).map(text => text.textContent);
})"""
"""The texts of charts that are not wholly in their chart."""


@pytest.mark.slow
def test_it_is_drawn_and_accessible_in_both_themes_and_on_a_phone(folder: Path, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    document = (folder / "search.json").read_text(encoding="utf-8")
    (tmp_path / "search.json").write_text(document.replace(LABEL, f"{LONG} at 0.001"), encoding="utf-8")
    path = tmp_path / "report.html"
    path.write_text(render_report(open_sources([tmp_path])), encoding="utf-8")
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 800}}
    with launched() as browser:
        for scheme, size in (("light", {}), ("dark", phone)):
            with opened(browser, path, color_scheme=scheme, **size) as found:
                assert found.said == []
                assert found.asked == [path.as_uri()]
                charts = found.page.locator("figure[data-chart] svg")
                assert charts.count() >= 4
                assert charts.evaluate_all(CUT) == []
                assert found.page.locator(".canvas.overflows").count() == 0
                assert found.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                found.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
                assert axe.Axe().run(found.page).response["violations"] == []
