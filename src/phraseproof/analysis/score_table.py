"""The scores of every wording on every example, in a bit each where they are 0 or 1, and read in blocks.

Ten thousand examples under five thousand wordings are 50 million scores. Right and wrong answers need a bit each, and
their differences between two runs a byte, instead of eight. Whatever leaves the table is float64, so that no sum can
overflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.intp]]"
Codes: TypeAlias = "np.ndarray[Any, np.dtype[np.signedinteger[Any]]]"
"""Whole numbers in the smallest type that holds them."""

_Stored: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

BLOCK = 1 << 21
"""Scores that are converted at once: 16 MiB as float64."""

_WHOLE = 100

_BITS = np.dtype(np.uint8)
"""The type of eight scores of 0 or 1: the only unsigned one that is stored."""


class ScoreTable:
    """Scores [W, E] of W wordings on E examples.

    Args:
        scores: of any type; kept as bits where every score is 0 or 1, as int8 where every score is a whole number
            between -100 and 100, else as float64.
    """

    __slots__ = ("_examples", "_scores")

    def __init__(self, scores: np.ndarray[Any, np.dtype[Any]]) -> None:
        self._examples: int = scores.shape[1]
        self._scores = _compact(scores)

    @property
    def shape(self) -> tuple[int, int]:
        """W and E."""
        return len(self._scores), self._examples

    @property
    def size(self) -> int:
        """How many scores there are."""
        return len(self._scores) * self._examples

    @property
    def is_right_or_wrong(self) -> bool:
        """Whether every score is 0 or 1."""
        if self._scores.dtype == _BITS:
            return True
        return all(bool(((block == 0) | (block == 1)).all()) for _, block in self._stored_blocks())

    def whole(self) -> Floats:
        """[W, E] all scores as float64: 64 times the memory of right and wrong answers."""
        return self.compact().astype(np.float64)

    def compact(self) -> Codes | Floats:
        """[W, E] all scores: whole ones between -100 and 100 in a byte each, to be summed as float64."""
        return _unpacked(self._scores, self._examples)

    def row(self, wording: int) -> Floats:
        """[E] the scores of one wording."""
        return self.take([wording]).whole()[0]

    def take(self, rows: Sequence[int] | Ints) -> ScoreTable:
        """Some of the wordings, in the order given."""
        return self._of(self._scores[np.asarray(rows, dtype=np.intp)], self._examples)

    def on(self, columns: Sequence[int] | Ints) -> ScoreTable:
        """Some of the examples, in the order given."""
        places = np.asarray(columns, dtype=np.intp)
        if self._scores.dtype != _BITS:
            return self._of(self._scores[:, places], len(places))
        found = np.empty((len(self._scores), -(-len(places) // 8)), dtype=_BITS)
        for rows, block in self._stored_blocks():
            found[rows] = np.packbits(block[:, places], axis=1)
        return self._of(found, len(places))

    def minus(self, other: ScoreTable) -> ScoreTable:
        """The differences from a table of the same wordings and examples."""
        # Differences of whole scores far from 0 do not fit a byte.
        fits = self._largest() + other._largest() <= _WHOLE
        found = np.empty(self.shape, dtype=np.int8 if fits else np.float64)
        for (rows, scores), (_, others) in zip(self.by_wordings(), other.by_wordings(), strict=True):
            found[rows] = scores - others
        return self._of(found, self._examples)

    @classmethod
    def _of(cls, scores: _Stored, examples: int) -> ScoreTable:
        """A table of scores whose type was chosen before."""
        found = cls.__new__(cls)
        found._scores, found._examples = scores, examples  # noqa: SLF001 - of the same class
        return found

    @classmethod
    def stacked(cls, tables: Iterable[ScoreTable], count: int) -> ScoreTable:
        """One table of the wordings of tables of one wording each, which may be of different kinds.

        Args:
            tables: of the same examples; each is needed until the next one is read.
            count: how many there are; at least one.
        """
        whole: _Stored | None = None
        examples = 0
        for row, table in enumerate(tables):
            scores, examples = table._scores, table._examples  # noqa: SLF001 - of the same class
            if whole is None:
                whole = np.empty((count, scores.shape[1]), dtype=scores.dtype)
            elif whole.dtype != scores.dtype:
                scores, whole = _unpacked(scores, examples), _unpacked(whole, examples)
                whole = whole.astype(np.result_type(whole.dtype, scores.dtype), copy=False)
            whole[row] = scores[0]
        assert whole is not None
        return cls._of(whole, examples)

    def _largest(self) -> float:
        """The largest whole score without its sign; infinity where scores are not whole."""
        if self._scores.dtype == np.float64:
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
        for rows, block in self._stored_blocks():
            yield rows, block.astype(np.float64)

    def by_examples(self) -> Iterator[tuple[slice, Floats]]:
        """The table in blocks of examples: which columns, and their scores."""
        wordings, examples = self.shape
        step = max(1, BLOCK // max(1, wordings))
        for start in range(0, examples, step):
            stop = min(examples, start + step)
            if self._scores.dtype == _BITS:
                of_bytes = slice(start // 8, -(-stop // 8))
                block = _unpacked(self._scores[:, of_bytes], stop - 8 * of_bytes.start)[:, start % 8 :]
            else:
                block = self._scores[:, start:stop]
            yield slice(start, stop), block.astype(np.float64)

    def _stored_blocks(self) -> Iterator[tuple[slice, _Stored]]:
        """The table in blocks of wordings: which rows, and their scores in bytes, or as they are stored."""
        step = max(1, BLOCK // max(1, self._examples))
        for start in range(0, len(self._scores), step):
            rows = slice(start, min(len(self._scores), start + step))
            yield rows, _unpacked(self._scores[rows], self._examples)


def smallest(codes: np.ndarray[Any, np.dtype[Any]], most: int) -> Codes:
    """Whole numbers from -1 to `most` in the smallest type that holds them and `most` + 1."""
    kind = next(kind for kind in (np.int8, np.int16, np.int32, np.int64) if most < np.iinfo(kind).max)
    return codes.astype(kind, copy=False)


def _compact(scores: _Stored) -> _Stored:
    step = max(1, BLOCK // max(1, scores.shape[-1]))
    blocks = [scores[start : start + step] for start in range(0, len(scores), step)]
    if all(bool(((block == 0) | (block == 1)).all()) for block in blocks):
        return np.concatenate([np.packbits(block.astype(np.bool_), axis=1) for block in blocks or [scores]])
    if scores.dtype == np.int8:
        return scores
    is_whole = all(bool((np.abs(block) <= _WHOLE).all() and (block == np.rint(block)).all()) for block in blocks)
    return scores.astype(np.int8 if is_whole else np.float64)


def _unpacked(scores: _Stored, examples: int) -> _Stored:
    """[W, E] stored scores, bits as int8."""
    if scores.dtype != _BITS:
        return scores
    return np.unpackbits(scores, axis=1, count=examples).view(np.int8)
