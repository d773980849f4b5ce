"""Texts are found in prompts, answers, options, references and names, and a long search continues."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.viewer.search import search
from support.viewed_runs import opened, write_options_run, write_texts_run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CAT SAT", {0, 1}),
        ("dog", {1}),
        ("prompt 0 of w/b", {0}),
        ("e1", {1}),
        ("d.g", set()),
        ("\\", set()),
        ("üß", set()),
    ],
)
def test_texts(tmp_path: Path, text: str, expected: set[int]) -> None:
    index = opened(write_texts_run(tmp_path / "run", {"w/a": ("the cat sat", "a Dog"), "w/b": ("no", "no")}))
    found = search(index, "texts", 0, text)
    assert found.examples == expected
    assert found.is_complete
    assert found.has_prompts


def test_options_are_searched_and_that_prompts_lack_is_known(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run"))
    found = search(index, "t", 0, "yes")
    assert len(found.examples) == 4
    assert not found.has_prompts


def test_an_interrupted_search_continues(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", prompts=True))
    steps = [search(index, "t", 0, "odd? w/c", seconds=-1.0) for _ in range(4)]
    assert [(step.searched, step.cells, step.is_complete) for step in steps] == [
        (1, 3, False),
        (2, 3, False),
        (3, 3, True),
        (3, 3, True),
    ]
    assert [len(step.examples) for step in steps] == [0, 0, 4, 4]
