"""The commands and the Python of README.md and docs/ run as they are printed, and print what the pages show."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from support.snippets import ROOT, blocks_of, commands, matches, run_block

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

NOT_RUN = {
    "align.md": 15,
    "budget.md": 1,
    "causes.md": 3,
    "collect.md": 2,
    "few-shot.md": 2,
    "importing.md": 6,
    "paper.md": 15,
    "paraphrasing.md": 2,
    "pocket.md": 6,
    "real-model.md": 4,
    "reducing.md": 2,
    "report.md": 1,
    "representations.md": 1,
    "served.md": 2,
    "statistics.md": 4,
    "studies.md": 17,
    "tune.md": 3,
    "wordings.md": 1,
    "workers.md": 1,
}
"""How many blocks of each page are marked as not run. A page with more has lost a test."""


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks_of(page):
        run_block(block, names)


def test_what_is_not_run_is_counted() -> None:
    found = Counter(
        block.page for page in PAGES for block in blocks_of(page) if block.is_code and block.mark("not run")
    )
    assert dict(found) == NOT_RUN


def test_marks_are_known() -> None:
    known = {"file", "files of", "setup", "with", "exit", "output varies", "not run"}
    for page in PAGES:
        for block in blocks_of(page):
            assert {name for name, _ in block.marks} <= known, block.where


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
