"""The grid's filters, orders and cells, against answers that are counted by hand.

     e1 e2 e3 e4   mean
w/a   1  1  1  0   0.75
w/b   1  0  1  0   0.5
w/c   0  0  1  1   0.5
"""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.viewer.grid import grid_of, matching_examples, right_answer, settled, shown_lines
from phraseproof.viewer.index import RunIndex
from phraseproof.viewer.state import PageState
from support.viewed_runs import opened, write_options_run, write_texts_run

PLAN = PageState(task="t", shots=0, sort="plan")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> RunIndex:
    return opened(write_options_run(tmp_path_factory.mktemp("grid") / "run", prompts=True))


def shown(index: RunIndex, state: PageState) -> list[str]:
    return [index.examples[number][1] for number in matching_examples(index, settled(index, state))]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["e1", "e2", "e3", "e4"]),
        ({"show": "differ"}, ["e1", "e2", "e4"]),
        ({"show": "answers"}, ["e1", "e2", "e4"]),
        ({"show": "wrong"}, ["e1", "e2", "e4"]),
        ({"show": "always-wrong"}, []),
        ({"show": "always-wrong", "group": "observed"}, ["e4"]),
        ({"show": "always-wrong", "group": "unobserved"}, ["e2"]),
        ({"show": "differ", "group": "unobserved"}, ["e1", "e4"]),
        ({"show": "wrong", "kind": "negated"}, ["e1", "e2"]),
        ({"show": "changed", "base": "w/a"}, ["e1", "e2", "e4"]),
        ({"show": "lost", "base": "w/a"}, ["e1", "e2"]),
        ({"show": "gained", "base": "w/a"}, ["e4"]),
        ({"show": "lost", "base": "w/a", "kind": "negated"}, ["e1", "e2"]),
        ({"show": "lost", "base": "w/c"}, ["e4"]),
        ({"show": "lost", "base": "w/none"}, ["e1", "e2", "e4"]),  # as `differ`
        ({"group": "none"}, []),
        ({"q": "is 3 odd"}, ["e3"]),
        ({"q": "w/b"}, ["e1", "e2", "e3", "e4"]),
        ({"q": "e2", "show": "differ"}, ["e2"]),
        ({"q": "%"}, []),
        ({"q": "'; DROP TABLE outcomes; --"}, []),
        ({"base": "' OR 1=1 --", "group": "'"}, []),
    ],
)
def test_examples_that_are_shown(index: RunIndex, changes: dict[str, str], expected: list[str]) -> None:
    assert shown(index, PLAN.having(**changes)) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("spread", ["e1", "e2", "e4", "e3"]),  # means 2/3, 1/3, 1/3, 1
        ("lowest", ["e2", "e4", "e1", "e3"]),
        ("highest", ["e3", "e1", "e2", "e4"]),
    ],
)
def test_orders(index: RunIndex, sort: str, expected: list[str]) -> None:
    found = shown(index, PLAN.having(sort=sort))
    assert found[-1] == expected[-1] if sort == "spread" else found == expected
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["w/a", "w/b", "w/c"]),
        ({"by": "worst"}, ["w/c", "w/b", "w/a"]),
        ({"by": "plan", "group": "unobserved"}, ["w/b", "w/c"]),
        ({"base": "w/c"}, ["w/c", "w/a", "w/b"]),
        ({"base": "w/a", "group": "unobserved"}, ["w/a", "w/b", "w/c"]),
    ],
)
def test_wordings_that_are_shown(index: RunIndex, changes: dict[str, str], expected: list[str]) -> None:
    lines = shown_lines(index, settled(index, PLAN.having(**changes)))
    assert [line.column.instruction for line in lines] == expected


def test_cells(index: RunIndex) -> None:
    grid = grid_of(index, PLAN)
    assert grid.base is None
    first = grid.examples.rows[0]
    assert (first.id, first.right, first.num_wordings, first.num_answers) == ("e1", "yes", 3, 2)
    assert first.mean == pytest.approx(2 / 3)
    assert [(cell.score, cell.answer, cell.is_best, cell.is_worst) for cell in first.cells if cell] == [
        (1.0, 0, True, False),
        (1.0, 0, True, False),
        (0.0, 1, False, True),
    ]


def test_pages_beyond_the_last_one_are_the_last(index: RunIndex) -> None:
    grid = grid_of(index, PLAN.having(page=10**9, cols=10**9))
    assert (grid.examples.number, grid.columns.number) == (1, 1)
    assert len(grid.examples.rows) == 4


def test_means_over_draws_are_neither_right_nor_wrong(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", {"w/a": (1, 1)}, repeats={"w/a": [(1, 0)]}))
    cells = [line.cells[0] for line in grid_of(index, PLAN).examples.rows]
    assert [(cell.score, cell.answer, cell.is_best) for cell in cells if cell] == [(1.0, 0, True), (0.5, None, False)]
    assert shown(index, PLAN.having(show="answers")) == ["e2"]
    assert shown(index, PLAN.having(show="always-wrong")) == []


def test_free_texts(tmp_path: Path) -> None:
    index = opened(write_texts_run(tmp_path / "run", {"w/a": ("the cat sat", "a"), "w/b": ("a", "b")}))
    state = PageState(task="texts", shots=0, sort="plan")
    assert shown(index, state.having(show="differ")) == ["e0"]
    assert shown(index, state.having(show="answers")) == ["e0", "e1"]
    assert grid_of(index, state).examples.rows[0].right == "the cat sat"


def test_right_answers() -> None:
    assert right_answer({"options": ["x", "y"], "target": 1, "reference": None}) == "y"
    assert right_answer({"options": [], "target": None, "reference": "text"}) == "text"
    assert right_answer({"options": ["x"], "target": None, "reference": None}) == ""
