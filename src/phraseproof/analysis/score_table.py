"""The scores of every wording on every example, in one byte each where they are whole, and read in blocks.

Ten thousand examples under five thousand wordings are 50 million scores. Right and wrong answers, and their differences
between two runs, need one byte instead of eight. Whatever leaves the table is float64, so that no sum can overflow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.intp]]"
Codes: TypeAlias = "np.ndarray[Any, np.dtype[np.signedinteger[Any]]]"
"""Whole numbers in the smallest type that holds them."""

BLOCK = 1 << 21
"""Scores that are converted at once: 16 MiB as float64."""

_WHOLE = 100


class ScoreTable:
    """Scores [W, E] of W wordings on E examples.

    Args:
        scores: of any type; kept as int8 where every score is a whole number between -100 and 100, else as float64.
    """

    __slots__ = ("_scores",)

    def __init__(self, scores: np.ndarray[Any, np.dtype[Any]]) -> None:
        self._scores = _compact(scores)

    @property
    def shape(self) -> tuple[int, int]:
        """W and E."""
        wordings, examples = self._scores.shape
        return wordings, examples

    @property
    def size(self) -> int:
        """How many scores there are."""
        return self._scores.size

    @property
    def is_right_or_wrong(self) -> bool:
        """Whether every score is 0 or 1."""
        return all(bool(((block == 0) | (block == 1)).all()) for block in self._stored_blocks())

    def whole(self) -> Floats:
        """[W, E] all scores as float64: eight times the memory of whole scores."""
        return self._scores.astype(np.float64)

    def row(self, wording: int) -> Floats:
        """[E] the scores of one wording."""
        return self._scores[wording].astype(np.float64)

    def take(self, rows: Sequence[int] | Ints) -> ScoreTable:
        """Some of the wordings, in the order given."""
        return self._of(self._scores[np.asarray(rows, dtype=np.intp)])

    def on(self, columns: Sequence[int] | Ints) -> ScoreTable:
        """Some of the examples, in the order given."""
        return self._of(self._scores[:, np.asarray(columns, dtype=np.intp)])

    def minus(self, other: ScoreTable) -> ScoreTable:
        """The differences from a table of the same wordings and examples."""
        # Differences of whole scores far from 0 do not fit a byte.
        fits = self._largest() + other._largest() <= _WHOLE
        found = np.empty(self.shape, dtype=np.int8 if fits else np.float64)
        for (rows, scores), (_, others) in zip(self.by_wordings(), other.by_wordings(), strict=True):
            found[rows] = scores - others
        return self._of(found)

    @classmethod
    def _of(cls, scores: np.ndarray[Any, np.dtype[Any]]) -> ScoreTable:
        """A table of scores whose type was chosen before."""
        found = cls.__new__(cls)
        found._scores = scores  # noqa: SLF001 - of the same class
        return found

    def into(self, whole: np.ndarray[Any, np.dtype[Any]] | None, row: int, rows: int) -> np.ndarray[Any, np.dtype[Any]]:
        """An array of many rows, with the one row of this table in its place.

        Args:
            whole: the array; `None` for a new one. It is copied to float64 where it cannot hold the row.
            row: the place.
            rows: how many there are in all.
        """
        if whole is None:
            whole = np.empty((rows, self.shape[1]), dtype=self._scores.dtype)
        elif whole.dtype == np.int8 and self._scores.dtype != np.int8:
            whole = whole.astype(np.float64)
        whole[row] = self._scores[0]
        return whole

    def _largest(self) -> float:
        """The largest whole score without its sign; infinity where scores are not whole."""
        if self._scores.dtype != np.int8:
            return np.inf
        return max((float(np.abs(scores).max(initial=0)) for _, scores in self.by_wordings()), default=0.0)

    def of_wordings(self) -> Floats:
        """[W] the mean score of each wording."""
        return np.concatenate([scores.mean(axis=1) for _, scores in self.by_wordings()])

    def of_examples(self) -> Floats:
        """[E] the mean score of each example."""
        return np.concatenate([scores.mean(axis=0) for _, scores in self.by_examples()])

    def by_wordings(self) -> Iterator[tuple[slice, Floats]]:
        """The table in blocks of wordings: which rows, and their scores."""
        wordings, examples = self.shape
        step = max(1, BLOCK // max(1, examples))
        for start in range(0, wordings, step):
            rows = slice(start, min(wordings, start + step))
            yield rows, self._scores[rows].astype(np.float64)

    def by_examples(self) -> Iterator[tuple[slice, Floats]]:
        """The table in blocks of examples: which columns, and their scores."""
        wordings, examples = self.shape
        step = max(1, BLOCK // max(1, wordings))
        for start in range(0, examples, step):
            columns = slice(start, min(examples, start + step))
            yield columns, self._scores[:, columns].astype(np.float64)

    def _stored_blocks(self) -> Iterator[np.ndarray[Any, np.dtype[Any]]]:
        step = max(1, BLOCK // max(1, self.shape[1]))
        for start in range(0, self.shape[0], step):
            yield self._scores[start : start + step]


def smallest(codes: np.ndarray[Any, np.dtype[Any]], most: int) -> Codes:
    """Whole numbers from -1 to `most` in the smallest type that holds them and `most` + 1."""
    kind = next(kind for kind in (np.int8, np.int16, np.int32, np.int64) if most < np.iinfo(kind).max)
    return codes.astype(kind, copy=False)


def _compact(scores: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    if scores.dtype == np.int8:
        return scores
    step = max(1, BLOCK // max(1, scores.shape[-1]))
    blocks = (scores[start : start + step] for start in range(0, len(scores), step))
    is_whole = all(bool((np.abs(block) <= _WHOLE).all() and (block == np.rint(block)).all()) for block in blocks)
    return scores.astype(np.int8 if is_whole else np.float64)
