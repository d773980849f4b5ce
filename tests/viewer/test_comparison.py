"""Two runs on what both hold, against changes that are counted by hand.

        before           after
w/a   1  1  1  0      1  0  1  1
w/b   1  0  1  0      1  0  1  0
w/c   0  0  1  1      another text
"""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.errors import UsageError
from phraseproof.viewer.comparison import compare_on_task
from phraseproof.viewer.index import RunIndex
from phraseproof.viewer.state import PageState
from support.viewed_runs import opened, write_options_run, write_texts_run

AFTER = {"w/a": (1, 0, 1, 1), "w/b": (1, 0, 1, 0), "w/c": (1, 1, 1, 1), "w/d": (1, 1, 1, 1)}
STATE = PageState(task="t", shots=0, show="differ")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunIndex, RunIndex]:
    folder = tmp_path_factory.mktemp("compare")
    after = write_options_run(folder / "after", AFTER, texts={"w/c": "Other"}, prompts=True)
    return opened(write_options_run(folder / "before", prompts=True)), opened(after)


def test_wordings_before_and_after(runs: tuple[RunIndex, RunIndex]) -> None:
    found = compare_on_task(*runs, STATE)
    assert [(line.column.instruction, *line[1:]) for line in found.wordings.rows] == [
        ("w/a", 0.75, 0.75, 4, 2, 1, 1),
        ("w/b", 0.5, 0.5, 4, 0, 0, 0),
    ]
    assert found.total is not None
    assert found.total[1:] == (0.625, 0.625, 8, 2, 1, 1)
    assert (found.left_out, found.num_examples, found.lacking) == (3, 4, 0)  # w/c on both sides, and w/d


@pytest.mark.parametrize(
    ("show", "expected"),
    [("differ", ["e2", "e4"]), ("answers", ["e2", "e4"]), ("lost", ["e2"]), ("gained", ["e4"]), ("all", ["e2", "e4"])],
)
def test_changes_with_both_answers(runs: tuple[RunIndex, RunIndex], show: str, expected: list[str]) -> None:
    found = compare_on_task(*runs, STATE.having(show=show))
    assert [change.example for change in found.changes.rows] == expected
    change = found.changes.rows[0]
    if change.example == "e2":
        assert [option.text for option in change.before.options if option.is_chosen] == ["no"]
        assert [option.text for option in change.after.options if option.is_chosen] == ["yes"]
        assert (change.before.prompt, change.references) == ("Is 2 odd? w/a", ("no",))


def test_one_wording_or_group(runs: tuple[RunIndex, RunIndex]) -> None:
    assert compare_on_task(*runs, STATE.having(wording="w/b")).changes.total == 0
    assert compare_on_task(*runs, STATE.having(wording="w/a")).changes.total == 2
    assert [line.column.instruction for line in compare_on_task(*runs, STATE.having(q="W/B")).wordings.rows] == ["w/b"]
    assert compare_on_task(*runs, STATE.having(group="'; --")).total is None


def test_examples_of_one_run_are_counted(tmp_path: Path) -> None:
    before = opened(write_options_run(tmp_path / "before"))
    after = opened(write_options_run(tmp_path / "after", {"w/a": (0, 1)}))
    found = compare_on_task(before, after, STATE)
    assert found.total is not None
    assert (found.total.before, found.total.after, found.total.num_outcomes) == (1.0, 0.5, 2)
    assert (found.num_examples, found.lacking, found.left_out) == (2, 2, 2)


def test_only_the_same_repeats_are_compared(tmp_path: Path) -> None:
    before = opened(write_options_run(tmp_path / "before", {"w/a": (1, 1)}))
    after = opened(write_options_run(tmp_path / "after", {"w/a": (0, 1)}, repeats={"w/a": [(0, 0)]}))
    found = compare_on_task(before, after, STATE)
    assert found.total is not None
    assert (found.total.after, found.total.num_outcomes) == (0.5, 2)


def test_nothing_in_common(runs: tuple[RunIndex, RunIndex]) -> None:
    found = compare_on_task(*runs, STATE.having(task="other"))
    assert (found.total, found.changes.total, found.wordings.total) == (None, 0, 0)


def test_answers_that_were_read_in_other_ways_are_refused(tmp_path: Path) -> None:
    first = opened(write_options_run(tmp_path / "one"))
    second = opened(write_texts_run(tmp_path / "two", {"w/a": ("x",)}))
    with pytest.raises(UsageError, match="read in different ways"):
        compare_on_task(first, second, STATE)
