"""The commands and the Python of README.md and docs/ run as they are printed, and print what the pages show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from docs.building.blocks import MARKS, blocks_of, commands, matches, page_name, pages
from docs.building.running import PageError, PageRun, check, in_order, needs_real_model

from support.real_models import smollm2

PAGES = pages()
REAL = in_order(page for page in PAGES if needs_real_model(page))
WRITTEN = [page for page in PAGES if page_name(page).startswith(("tutorial", "how-to/"))]
"""Pages whose outputs are all written by `make docs-outputs`."""

NOT_RUN = {
    "align.md": 15,
    "budget.md": 1,
    "causes.md": 3,
    "collect.md": 2,
    "few-shot.md": 2,
    "importing.md": 6,
    "object-storage.md": 1,
    "paper.md": 15,
    "paraphrasing.md": 2,
    "pocket.md": 6,
    "real-model.md": 5,
    "reducing.md": 2,
    "report.md": 1,
    "representations.md": 1,
    "served.md": 2,
    "statistics.md": 4,
    "studies.md": 17,
    "tune.md": 3,
    "viewing.md": 2,
    "wordings.md": 1,
    "workers.md": 3,
}
"""How many blocks of each page are marked as not run. A page with more has lost a test."""


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    PageRun(compare=check).run(page)


@pytest.mark.real
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("pages")
@pytest.mark.parametrize("page", REAL, ids=page_name)
def test_page_with_the_real_model(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smollm2()  # skips where its package is missing
    monkeypatch.chdir(tmp_path)
    PageRun(real=True, compare=check).run(page)


@pytest.mark.parametrize("page", WRITTEN, ids=page_name)
def test_outputs_of_tutorial_and_how_to_pages_are_written_by_the_machine(page: Path) -> None:
    for block in blocks_of(page):
        if block.is_code:
            assert block.mark("not run") is None, block.where
            assert block.mark("output varies") is None, block.where
        if block.shows_output and "..." in block.text.splitlines():
            assert block.mark("shows"), f"{block.where}: which lines are shown is not said"


def test_what_is_not_run_is_counted() -> None:
    found = Counter(
        block.page for page in PAGES for block in blocks_of(page) if block.is_code and block.mark("not run")
    )
    assert dict(found) == NOT_RUN


def test_marks_are_known() -> None:
    for page in PAGES:
        for block in blocks_of(page):
            assert {name for name, _ in block.marks} <= MARKS, block.where


def test_commands_with_their_output() -> None:
    text = "$ phraseproof a \\\n    -b\nprinted\n$ phraseproof c\n"
    assert commands(text) == [("phraseproof a     -b", "printed\n"), ("phraseproof c", "")]
    assert commands("phraseproof a\n\nphraseproof b  # why\n") == [("phraseproof a", ""), ("phraseproof b  # why", "")]


def test_dots_stand_for_any_lines() -> None:
    assert matches("a\n...\nd\n", "a\nb\nc\nd\n")
    assert matches("a\n...\nd\n", "a\nd\n")
    assert matches("a\n", "a   \n")
    assert not matches("a\n...\nd\n", "a\nb\n")
    assert not matches("a\n", "a\nb\n")


def test_pages_that_others_continue_are_run_first() -> None:
    names = [page_name(page) for page in in_order(PAGES)]
    assert names[:2] == ["tutorial.md", "README.md"]
    assert sorted(names) == sorted(map(page_name, PAGES))


def page_with(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    return page


def test_an_output_that_differs_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_with("```\n$ phraseproof --version\nphraseproof 99\n```\n", tmp_path, monkeypatch)
    with pytest.raises(PageError, match=r"page\.md:1: phraseproof --version\nprinted:\nphraseproof 0"):
        PageRun(compare=check).run(page)


def test_another_exit_code_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = page_with("```\nphraseproof table nothing\n```\n", tmp_path, monkeypatch)
    with pytest.raises(PageError, match="exit code 2"):
        PageRun().run(page)


def test_real_blocks_run_with_the_fake_model_uncompared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block = "<!-- real: a model -->\n<!-- exit: 3 -->\n```\n$ phraseproof table smollm2\nnot this\n```\n"
    PageRun(compare=check).run(page_with(block, tmp_path, monkeypatch))
