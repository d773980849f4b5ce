"""Texts are found in prompts, answers, options, references and names, and a long search continues."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import Cell, Outcome
from phraseproof.identity import content_hash
from phraseproof.store.writer import RunStore, Usage
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


def test_an_interrupted_search_of_draws_leaves_no_cell_out(tmp_path: Path) -> None:
    # In the order of the plan, draws of wordings alternate: a 0, b 0, a 1, b 1.
    cells = [
        Cell(content_hash([wording, repeat]), "t", "c", wording, "observed", 0, 0, 1, repeat=repeat)
        for repeat in (0, 1)
        for wording in ("w/a", "w/b")
    ]
    run = tmp_path / "draws"
    store = RunStore(run, {"model": {"name": "m"}, "scoring": "loglikelihood", "limit": None})
    store.register(
        cells, {"groups": {"observed": {}}, "instructions": {each: {"text": each} for each in ("w/a", "w/b")}}
    )
    for number, cell in enumerate(cells):
        store.write(cell, [Outcome(f"e{number}", 1.0, ("x", "y"), predicted=0, target=0)], Usage(0.1, 0.1, 1, 1))
    store.finish(1)
    index = opened(run)
    steps = [search(index, "t", 0, "e", seconds=-1.0) for _ in cells]
    assert [len(step.examples) for step in steps] == [1, 2, 3, 4]


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
