"""The index holds each outcome's numbers and its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.store.queries import load_run
from phraseproof.viewer.index import UNREAD, index_run
from support.run_files import edit_run_file
from support.viewed_runs import RIGHT, opened, write_options_run, write_texts_run


def test_every_outcome_is_indexed(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run"))
    assert [column.instruction for column in index.columns] == ["w/a", "w/b", "w/c"]
    assert [(column.group, column.kind) for column in index.columns] == [
        ("observed", ""),
        ("unobserved", ""),
        ("unobserved", "negated"),
    ]
    rows = index.rows("SELECT col, id, score, answer FROM outcomes JOIN examples USING (example) ORDER BY col, row")
    assert len(rows) == 12
    assert [score for _, _, score, _ in rows] == [mark for marks in RIGHT.values() for mark in marks]
    assert [answer for _, _, _, answer in rows[:4]] == [0, 1, 0, 0]
    assert index.number_of("t", "e2") == index.numbers_of("t")["e2"] == 1
    assert index.number_of("t", "e9") is None
    assert index.number_of("u", "e2") is None


def test_moments(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run"))
    first = index.moments[0]
    assert (first.num_examples, first.mean, first.is_binary) == (4, 0.75, True)
    assert first.variance == pytest.approx(0.25)  # 3 * 0.25**2 + 0.75**2 over 3


def test_draws_are_averaged_by_example(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", {"w/a": (1, 1)}, repeats={"w/a": [(1, 0)]}))
    (column,) = index.columns
    assert len(column.cells) == 2
    moments = index.moments[0]
    assert (moments.num_examples, moments.mean, moments.is_binary) == (2, 0.75, False)
    assert moments.variance == pytest.approx(0.125)  # of 1 and 0.5


def test_equal_texts_are_equal_answers(tmp_path: Path) -> None:
    index = opened(write_texts_run(tmp_path / "run", {"w/a": ("the cat sat", "a dog"), "w/b": ("the cat sat", "no")}))
    answers = dict(index.rows("SELECT example, count(DISTINCT answer) FROM outcomes GROUP BY example"))
    assert answers == {0: 1, 1: 2}
    assert index.rows("SELECT min(answer) FROM outcomes")[0][0] > UNREAD


def test_only_complete_cells_are_read(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run", unfinished=["w/b"]))
    assert [column.instruction for column in index.columns] == ["w/a", "w/c"]
    empty = opened(write_options_run(tmp_path / "other", unfinished=list(RIGHT)))
    assert empty.columns == ()


def test_published_accuracies_have_no_outcomes(tmp_path: Path) -> None:
    run = write_options_run(tmp_path / "run", unfinished=list(RIGHT))
    row = {"task": "t", "category": "c", "group": "g", "instruction": "w/a", "num_fewshot": 0, "mean_score": 0.5,
           "num_examples": None}  # fmt: skip
    edit_run_file(run, lambda content: content.update(accuracies={"one": row}, cells=[]))
    index = index_run(load_run(run))
    assert index.columns == ()
    assert index.tasks == ()


def test_no_file_is_reached_through_the_index(tmp_path: Path) -> None:
    index = opened(write_options_run(tmp_path / "run"))
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(Exception, match=r"disabled|Permission"):
        index.rows(f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")
