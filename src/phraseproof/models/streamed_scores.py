"""The common part of models that hand over scores while they compute: the list of them, and what can be scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from phraseproof.core import OptionScores, Prompt
from phraseproof.errors import ModelError

OnScores = Callable[[int, OptionScores | ModelError], None]
"""Called once per prompt with its index and its scores, or the reason why there are none."""


class ScoreStream(Protocol):
    """Hands over the scores of every prompt, in any order."""

    def __call__(self, prompts: Sequence[Prompt], *, method: str, on_scores: OnScores) -> None:
        """Score the prompts."""
        ...


class _Holds(Protocol):
    def append(self, scores: OptionScores, /) -> None:
        """Put one prompt's scores at the end."""
        ...


_List = TypeVar("_List", bound=_Holds)


def collect_scores(
    stream: ScoreStream,
    prompts: Sequence[Prompt],
    into: _List,
    *,
    method: str,
    on_done: Callable[[int], None] | None = None,
) -> _List:
    """Fill a list with the scores of prompts, in the prompts' order.

    Args:
        stream: scores the prompts; in memory are only scores that come before those of an earlier prompt.
        into: the empty list that is filled and returned.
        method: passed on to `stream`.
        on_done: called with the number of prompts finished since the last call.

    Raises:
        ModelError: as `stream`, or a prompt cannot be scored.
    """
    early: dict[int, OptionScores] = {}
    held = 0

    def keep(index: int, scores: OptionScores | ModelError) -> None:
        nonlocal held
        if isinstance(scores, ModelError):
            raise scores
        early[index] = scores
        while held in early:
            into.append(early.pop(held))
            held += 1
        if on_done is not None:
            on_done(1)

    stream(prompts, method=method, on_scores=keep)
    return into


def require_options(prompts: Sequence[Prompt]) -> None:
    """Check that there is something to score.

    Raises:
        ModelError: a prompt without options.
    """
    for prompt in prompts:
        if not prompt.options:
            raise ModelError("a prompt without options cannot be scored", got=repr(prompt.text[-60:]))
