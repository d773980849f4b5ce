"""Scores in bits, bytes and blocks, against plain arrays."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phraseproof.analysis import score_table
from phraseproof.analysis.score_table import ScoreTable, smallest


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of two wordings, or of two examples."""
    monkeypatch.setattr(score_table, "BLOCK", 14)


RIGHT = np.random.default_rng(0).integers(0, 2, (7, 7)).astype(float)
GRADED = np.random.default_rng(1).random((7, 7))


@pytest.mark.parametrize("scores", [RIGHT, GRADED, 1000 * RIGHT, RIGHT - 1])
def test_what_leaves_the_table_is_what_a_plain_array_holds(scores: np.ndarray) -> None:
    table = ScoreTable(scores)
    assert (table.shape, table.size) == ((7, 7), 49)
    assert table.of_wordings() == pytest.approx(scores.mean(axis=1), abs=1e-15)
    assert table.of_examples() == pytest.approx(scores.mean(axis=0), abs=1e-15)
    assert np.array_equal(table.row(3), scores[3])
    assert np.array_equal(table.take([4, 0]).whole(), scores[[4, 0]])
    assert np.array_equal(table.on([6, 2]).whole(), scores[:, [6, 2]])
    for blocks, axis in ((table.by_wordings(), 0), (table.by_examples(), 1)):
        parts = [block for _, block in blocks]
        assert len(parts) == 4
        assert {part.dtype for part in parts} == {np.dtype(np.float64)}
        assert np.array_equal(np.concatenate(parts, axis=axis), scores)
    assert table.is_right_or_wrong == (scores is RIGHT)


def test_differences_never_overflow() -> None:
    other = np.random.default_rng(2).integers(0, 2, (7, 7)).astype(float)
    for first, second in (
        (RIGHT, other),
        (100 * RIGHT, 100 * RIGHT - 100 * other),
        (RIGHT, GRADED),
        (RIGHT, 70 * other),
    ):
        found = ScoreTable(first).minus(ScoreTable(second))
        assert np.array_equal(found.whole(), first - second)
        # Differences of differences, as between two pairs of runs.
        assert np.array_equal(found.minus(ScoreTable(other)).whole(), first - second - other)
        assert found.of_wordings() == pytest.approx((first - second).mean(axis=1), abs=1e-13)


@given(data=st.data())
def test_any_table_is_the_array_that_it_was_made_of(data: st.DataObject) -> None:
    wordings, examples = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 20))
    kind = data.draw(st.sampled_from([st.integers(0, 1), st.integers(-100, 100), st.floats(-1, 1)]))
    rows = st.lists(kind, min_size=examples, max_size=examples)
    scores = np.array(data.draw(st.lists(rows, min_size=wordings, max_size=wordings)), dtype=np.float64)
    columns = data.draw(st.lists(st.integers(0, examples - 1)))
    table = ScoreTable(scores)
    assert np.array_equal(table.whole(), scores)
    assert np.array_equal(table.compact(), scores)
    assert np.array_equal(table.on(columns).whole(), scores[:, columns])
    assert np.array_equal(np.concatenate([block for _, block in table.by_wordings()]), scores)
    assert np.array_equal(np.concatenate([block for _, block in table.by_examples()], axis=1), scores)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_rows_of_other_kinds_are_gathered_exactly(order: tuple[int, ...]) -> None:
    rows = [(RIGHT[0], GRADED[0], 7 * RIGHT[1])[place] for place in order]
    found = ScoreTable.stacked((ScoreTable(scores[None]) for scores in rows), 3)
    assert np.array_equal(found.whole(), rows)
    assert found.shape == (3, 7)


def test_codes_leave_room_for_one_more() -> None:
    for most, kind in ((126, np.int8), (127, np.int16), (32766, np.int16), (32767, np.int32)):
        found = smallest(np.array([-1, 0, most]), most)
        assert found.dtype == kind
        assert found.tolist() == [-1, 0, most]
        assert int(found.max() + found.dtype.type(1)) == most + 1
