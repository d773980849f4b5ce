"""The report in a real browser: drawn, offline, by mouse and keyboard, light and dark, wide and narrow."""

from __future__ import annotations

import csv
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from phraseproof.cli import main
from phraseproof.reports.build.text import printable
from phraseproof.reports.charts import heatmap
from support.browser import Opened, launched, opened
from support.report_runs import HOSTILE, write_run

pytestmark = pytest.mark.slow


_SQUARES_ARE = "n => document.querySelectorAll('#chart-r0-k0-heat-1 .role-mark.mark-rect path').length === n"
_WORDINGS = "all => all.map(each => each.__data__.datum.wording)"


class Made(NamedTuple):
    """A run and its page."""

    run: Path
    page: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("report")
    run = write_run(folder / "run", prompts=True)
    _call("report", run, "--out", folder / "report.html", "--current", "observed/w1")
    return Made(run, folder / "report.html")


@pytest.fixture(scope="module")
def browser() -> Generator[Any]:
    with launched() as found:
        yield found


@pytest.fixture(scope="module")
def wide(browser: Any, made: Made) -> Generator[Opened]:
    with opened(browser, made.page) as found:
        yield found


def _points(value: float) -> str:
    return f"{value:+.1f}" if round(value, 1) else "0.0"


def _call(*arguments: str | Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    assert stopped.value.code == 0


def _tables(run: Path, capsys: pytest.CaptureFixture[str], by: str) -> dict[str, Any]:
    capsys.readouterr()
    _call("table", run, "--json", "--by", by)
    (table,) = json.loads(capsys.readouterr().out)["tables"]
    return table


def test_it_needs_nothing_but_its_file_and_complains_of_nothing(wide: Opened, made: Made) -> None:
    assert wide.said == []
    assert wide.asked == [made.page.as_uri()]


def test_every_chart_is_drawn_with_its_marks(wide: Opened) -> None:
    figures = wide.page.locator("figure[data-chart]")
    assert figures.count() == 5  # headline, strip, causes, and a heat map for each of two categories
    for number in range(figures.count()):
        svg = figures.nth(number).locator("svg").first
        box = svg.bounding_box()
        assert box["width"] > 600
        assert box["height"] > 60
    dots = wide.page.locator("#chart-r0-k0-strip-chart .mark-symbol path")
    assert dots.count() >= 3 * (4 + 3)
    squares = wide.page.locator("figure[id*='heat'] .mark-rect path")
    assert squares.count() >= 3 * (4 + 3)


def test_hovering_shows_the_wording_and_its_text(wide: Opened) -> None:
    page = wide.page
    square = page.locator("#chart-r0-k0-heat-1 .mark-rect path").first
    square.scroll_into_view_if_needed()
    square.hover()
    tip = page.locator("#tip.shown")
    tip.wait_for(timeout=5000)
    text = tip.inner_text()
    assert "observed/w" in text
    assert "which is it?" in text
    assert "accuracy (%)" in text
    page.mouse.move(2, 2)
    page.wait_for_selector("#tip:not(.shown)", state="attached")


def test_csv_is_the_data_of_table_json(
    wide: Opened, made: Made, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with wide.page.expect_download() as waiting:
        wide.page.locator("#chart-r0-k0-strip-chart button[data-csv='wordings']").click()
    waiting.value.save_as(tmp_path / "wordings.csv")
    with (tmp_path / "wordings.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    table = _tables(made.run, capsys, "wording")
    expected = {
        (ranking["task"], wording["instruction"]): wording["mean_percent"]
        for ranking in table["rankings"]
        for wording in ranking["wordings"]
    }
    found = {(row["task"], row["wording"]): float(row["accuracy_percent"]) for row in rows}
    assert found == pytest.approx(expected, abs=1e-9)
    assert not any(name.startswith("_") for name in rows[0])


def test_the_numbers_are_those_of_table_json(wide: Opened, made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    table = _tables(made.run, capsys, "task")
    expected = {
        row["name"]: [
            f"{found['mean_percent']:.1f} ± {found['std_percent']:.1f} ({found['num_wordings']})"
            for found in row["groups"].values()
        ]
        + [_points(found["percentage_points"]) for found in row["differences"].values()]
        for row in (*table["tasks"], *table["categories"], table["overall"])
    }
    shown = wide.page.locator("table[data-table='tasks'] tbody tr").evaluate_all(
        "rows => rows.map(row => Array.from(row.cells).map(cell => cell.innerText))"
    )
    assert {name: cells for name, *cells in shown} == expected
    overall = table["overall"]["groups"]
    headline = wide.page.locator("section[aria-labelledby='r0-k0-headline']").inner_text()
    for group in overall.values():
        assert f"{group['mean_percent']:.1f}%" in headline


def test_a_table_of_a_chart_opens_by_keyboard(wide: Opened) -> None:
    summary = wide.page.locator("#chart-r0-k0-headline-chart details > summary")
    summary.focus()
    wide.page.keyboard.press("Enter")
    rows = wide.page.locator("#chart-r0-k0-headline-chart .scroll tbody tr")
    rows.first.wait_for()
    assert rows.count() == 6
    reached = {"button": False, "summary": False}
    wide.page.locator("a.skip").focus()
    for _ in range(25):
        wide.page.keyboard.press("Tab")
        reached[wide.page.evaluate("document.activeElement.localName")] = True
    assert reached["button"]
    assert reached["summary"]


def test_charts_say_what_they_show_to_a_screen_reader(wide: Opened) -> None:
    labels = wide.page.locator("figure [role='graphics-document']").evaluate_all(
        "all => all.map(one => one.getAttribute('aria-label'))"
    )
    assert len(labels) == 5
    assert any("The widest lane is" in label for label in labels)
    assert wide.page.locator("#chart-r0-k0-strip-chart").get_attribute("aria-labelledby")


def test_the_current_wording_is_named_and_ringed(wide: Opened) -> None:
    assert "The current wording, observed/w1, gets" in wide.page.locator("main").inner_text()
    assert wide.page.locator("table[data-table='wordings'] .chip", has_text="current").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, made: Made, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    with opened(browser, made.page, color_scheme=scheme) as found:
        found.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        violations = axe.Axe().run(found.page).response["violations"]
        ground = found.page.evaluate("getComputedStyle(document.body).backgroundColor")
    serious = [
        (each["id"], each["nodes"][0]["html"]) for each in violations if each["impact"] in {"serious", "critical"}
    ]
    assert serious == []
    assert ground == {"light": "rgb(244, 245, 247)", "dark": "rgb(13, 16, 20)"}[scheme]


def test_the_button_changes_page_and_charts(wide: Opened) -> None:
    page = wide.page

    def label() -> str:
        return page.locator("#chart-r0-k0-strip-chart .role-axis-label text").first.get_attribute("fill")

    before = label()
    assert page.locator("html").get_attribute("data-ready") == "light"
    page.locator("#theme").click()
    page.wait_for_selector("html[data-ready='dark']")
    assert label() != before
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 16, 20)"
    page.locator("#theme").click()
    page.wait_for_selector("html[data-ready='light']")
    assert label() == before


def test_a_phone_shows_all_of_it_without_scrolling_sideways(browser: Any, made: Made) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with opened(browser, made.page, **phone) as found:
        assert found.said == []
        assert found.page.evaluate("document.documentElement.scrollWidth") <= 360
        widths = found.page.locator("figure .canvas:not(.overflows) svg").evaluate_all(
            "all => all.map(svg => svg.getBoundingClientRect().width)"
        )
        assert widths
        assert all(200 < width <= 360 for width in widths if width > 30)
        wide = found.page.locator(".overflows")
        assert wide.count(), "the heat maps and tables that are wider than the phone say so"
        shown = wide.first.evaluate("box => getComputedStyle(box, '::before').content")
        assert "scroll sideways" in shown
        assert wide.evaluate_all("all => all.every(box => getComputedStyle(box).overflowX === 'auto')")


def test_hostile_text_is_inert_and_legible(browser: Any, tmp_path: Path) -> None:
    run = write_run(
        tmp_path / "run",
        tasks={"<i>task</i>/one": "<b>kind</b>"},
        groups={"</td><script>window.hacked=9</script>": len(HOSTILE), "other": 2},
        names=HOSTILE,
        prompts=True,
        examples=6,
    )
    out = tmp_path / "report.html"
    _call("report", run, "--out", out, "--title", HOSTILE[0])
    with opened(browser, out) as found:
        page = found.page
        square = page.locator(".mark-rect path").first
        square.scroll_into_view_if_needed()
        square.hover()
        page.locator("#tip.shown").wait_for(timeout=5000)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        assert page.evaluate("window.hacked") is None
        assert page.evaluate("({}).polluted") is None
        assert found.dialogs == []
        assert found.said == []
        assert found.asked == [out.as_uri()]
        assert page.locator("img, iframe, object, embed, main script, main b, main i").count() == 0
        assert page.locator("script").count() == 3
        text = page.locator("main").text_content()
        width = page.evaluate("document.documentElement.scrollWidth")
    for piece in HOSTILE:
        assert printable(piece) in " ".join(text.split())
    assert "\\x00" in text
    assert "\\u202e" in text
    assert width <= 1100


def test_very_many_columns_are_shown_in_parts(browser: Any, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heatmap, "_MOST_COLUMNS", 4)
    monkeypatch.setattr(heatmap, "_AT_ONCE", 3)
    out = made.page.with_name("parts.html")
    _call("report", made.run, "--out", out)
    with opened(browser, out, viewport={"width": 390, "height": 800}) as found:
        figure = found.page.locator("#chart-r0-k0-heat-1")
        seen: set[str] = set()
        for first, last in ((1, 3), (4, 6), (7, 7)):
            figure.locator(f"output:text-is('columns {first} to {last} of 7')").wait_for(timeout=5000)
            found.page.wait_for_function(_SQUARES_ARE, arg=2 * (last - first + 1))  # of two tasks
            seen |= set(figure.locator(".role-mark.mark-rect path").evaluate_all(_WORDINGS))
            if last < 7:
                figure.locator("[data-step='1']").click()
        assert figure.locator("[data-step='1']").is_disabled()
        figure.locator("[data-page]").fill("1")
        figure.locator("output:text-is('columns 1 to 3 of 7')").wait_for(timeout=5000)
        assert found.said == []
        assert found.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert len(seen) == 7
