"""The page of an exhibit."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from phraseproof.analysis.results import ResultTable
from phraseproof.reports.charts.bars import Bar, bars
from phraseproof.studies.exhibit import Exhibit, ExhibitTable
from phraseproof.studies.page import page_rows, render_exhibit
from phraseproof.studies.published import figures
from phraseproof.studies.record import spec_of
from phraseproof.studies.registry import STUDIES, study_named
from phraseproof.studies.study import StudyRequest
from support.browser import launched, opened
from support.report_runs import HOSTILE

PRINTED = figures(["Table 3"], model="T0++", statistic="mean")[0]
TABLE = ExhibitTable(
    "By category",
    ("model", "shots", "wordings", "MMLU", "Overall", "remark"),
    (
        ("m", "0", "observed", "48.1 ± 0.3\n[47.0, 49.0]", "50.0 ± 1.0", "a remark"),
        ("", "", "unobserved", "47.0 ± 0.2", "49.0 ± 1.0", ""),
        ("", "1", "observed", "46.0 ± 0.2", "48.0 ± 1.0", ""),
        ("T0++ (printed)", "0", "observed", "1.0", "2.0", ""),
        ("", "", "unobserved", "3.0", "4.0", ""),
    ),
    ("A sentence below the table.",),
    num_names=3,
    num_texts=1,
)
EXHIBIT = Exhibit(
    "table-3", "A title", (TABLE,), ResultTable(tuple(PRINTED.rows())), notes=("How small it is.",), incomplete=2
)


def with_spec(exhibit: Exhibit) -> Exhibit:
    request = StudyRequest(models=("pocket",), limit=3)
    return replace(exhibit, spec=spec_of(study_named("table-3"), request, ()))


def text_of(page: str) -> str:
    body = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body.replace("<wbr>", ""))).split())


def test_all_lines_of_a_name_are_shown() -> None:
    table = ExhibitTable(
        "Costs", ("model", "work", "kWh"), (("pocket\npt+kl", "training\n2 cores", "1\n60%"),), num_names=2
    )
    (row,) = page_rows(table)
    assert [(cell.text, cell.interval) for cell in row.cells] == [
        ("pocket, pt+kl", ""), ("training, 2 cores", ""), ("1", "60%"),
    ]  # fmt: skip
    assert "pocket, pt+kl training, 2 cores 1 60%" in text_of(
        render_exhibit(replace(EXHIBIT, tables=(table,), results=ResultTable(())))
    )


def test_names_extend_over_the_rows_below_until_one_to_their_left_begins() -> None:
    rows = list(page_rows(TABLE))
    spans = [[(cell.text, cell.rows) for cell in row.cells if cell.is_name] for row in rows]
    assert spans == [
        [("m", 3), ("0", 2), ("observed", 1)],
        [("unobserved", 1)],
        [("1", 1), ("observed", 1)],
        [("T0++ (printed)", 2), ("0", 2), ("observed", 1)],
        [("unobserved", 1)],
    ]
    assert [row.is_printed for row in rows] == [False, False, False, True, True]
    number = rows[0].cells[3]
    assert (number.text, number.interval, number.is_number) == ("48.1 ± 0.3", "[47.0, 49.0]", True)
    assert not rows[0].cells[-1].is_number


def test_a_row_of_a_table_whose_first_name_is_empty_has_no_empty_heading() -> None:
    (row,) = page_rows(ExhibitTable("t", ("", "a"), (("", "1.0"),)))
    assert [cell.is_name for cell in row.cells] == [False, False]


def test_the_page_has_tables_notes_figures_and_what_repeats_it() -> None:
    page = render_exhibit(with_spec(EXHIBIT))
    text = text_of(page)
    for row in TABLE.rows:
        for cell in row:
            assert " ".join(cell.split()) in text
    for expected in (
        "How small it is.",
        "A sentence below the table.",
        "2 cells are missing",
        "phraseproof study table-3 --model pocket --limit 3",
        "Tables 3, 19, 21, 23, 25 and Figure 2a of arXiv 2306.11270",
        "Printed in the paper: 2 figures",
        PRINTED.value,
    ):
        assert expected in text
    for link in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{link}"' in page


def test_without_charts_the_page_needs_no_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phraseproof.reports.html.document.vega_libraries", lambda: pytest.fail("not needed"))
    page = render_exhibit(with_spec(EXHIBIT))
    assert len(page) < 60_000
    assert page.count("<script") == 2


def test_charts_with_one_title_are_named_by_their_files() -> None:
    chart = bars([Bar("a", "", 1.0)], title="Means", axis="points")
    text = text_of(render_exhibit(replace(EXHIBIT, charts={"one": chart, "two": chart})))
    assert "Means (one)" in text
    assert "Means (two)" in text
    assert "(one)" not in text_of(render_exhibit(replace(EXHIBIT, charts={"one": chart})))


def test_names_are_escaped() -> None:
    hostile = HOSTILE[0] + "<img src=x onerror=alert(1)>"
    table = ExhibitTable(hostile, (hostile, hostile), ((hostile, hostile),), (hostile,))
    page = render_exhibit(with_spec(replace(EXHIBIT, title=hostile, tables=(table,), notes=(hostile,))))
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x") >= 6


def test_it_is_made_of_any_study() -> None:
    for study in STUDIES:
        exhibit = replace(EXHIBIT, study=study.name, spec=spec_of(study, StudyRequest(models=("pocket",)), ()))
        assert study.about in unescape(render_exhibit(exhibit))


@pytest.mark.slow
def test_it_is_accessible_in_both_themes_on_a_phone_and_on_paper(tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    name = "lora+kl:gradient_accumulation=2:paraphrases_per_batch=1"
    chart = bars([Bar(name, "m", 40.0, 30.0, 50.0), Bar("b", name, 50.0)], title="Means", axis="accuracy (%)")
    path = tmp_path / "exhibit.html"
    path.write_text(
        render_exhibit(with_spec(replace(EXHIBIT, charts={"means": chart, "same": chart}))), encoding="utf-8"
    )
    phone: dict[str, Any] = {"viewport": {"width": 390, "height": 800}}
    with launched() as browser:
        for scheme, size in (("light", {}), ("dark", phone)):
            with opened(browser, path, color_scheme=scheme, **size) as found:
                assert found.said == []
                assert found.asked == [path.as_uri()]
                assert found.page.locator("figure[data-chart] svg").count() == 2
                assert found.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                found.page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
                assert axe.Axe().run(found.page).response["violations"] == []
                found.page.emulate_media(media="print", color_scheme=scheme)
                assert found.page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
                assert found.page.evaluate("getComputedStyle(document.querySelector('.wide')).overflowX") == "visible"
