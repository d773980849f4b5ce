"""The scores of any number of prompts in a few bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import overload

from phraseproof.core import OptionScores


class ScoreList(Sequence[OptionScores]):
    """A list of `OptionScores` that keeps numbers in arrays and makes the objects when they are read.

    Ten thousands of prompts may be scored in one call; as objects each takes some hundred bytes, here a fifth of that.

    Args:
        scores: what to hold.
    """

    def __init__(self, scores: Iterable[OptionScores] = ()) -> None:
        self._logprobs = array("d")
        self._ends = array("q", [0])
        self._counts = array("q")
        self._remarks = array("B")
        self._tokens, self._token_ends = array("q"), array("q", [0])
        for each in scores:
            self.append(each)

    def append(self, scores: OptionScores) -> None:
        """Put one prompt's scores at the end."""
        logprobs, *counts, option_tokens, remarks = scores[:7]  # a model in this process has no bounds and no text
        self._logprobs.extend(logprobs)
        self._ends.append(len(self._logprobs))
        self._counts.extend(counts)
        self._remarks.append(remarks)
        self._tokens.extend(option_tokens)
        self._token_ends.append(len(self._tokens))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> OptionScores: ...

    @overload
    def __getitem__(self, index: slice) -> ScoreList: ...

    def __getitem__(self, index: int | slice) -> OptionScores | ScoreList:
        if isinstance(index, slice):
            return ScoreList(self[place] for place in range(*index.indices(len(self))))
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError("no such prompt")
        width = len(self._counts) // len(self)
        logprobs = tuple(self._logprobs[self._ends[place] : self._ends[place + 1]])
        tokens = tuple(self._tokens[self._token_ends[place] : self._token_ends[place + 1]])
        counts = self._counts[width * place : width * (place + 1)]
        return OptionScores(logprobs, *counts, option_tokens=tokens, remarks=self._remarks[place])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == each for one, each in zip(self, other, strict=True))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - of anything

    __hash__ = None  # pyright: ignore[reportAssignmentType] - as a list has none

    def __repr__(self) -> str:
        return repr(list(self))
