"""Regular expressions that users write, with a time limit.

A short pattern may need longer than the universe has on an unfortunate text (`(a+)+$`), and Python's `re` cannot be
stopped. The package regex can. It knows more syntax than `re`, and takes other characters for parts of words; a pattern
here means what it means to `re`. Without case, the Turkish dotless and dotted i are the same as i.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final, Protocol, cast

from phraseproof.errors import UsageError

LIMIT_S: Final = 5.0
"""Seconds of CPU time of one search in one text; ordinary patterns take less than a millisecond."""

_SHOWN = 60
"""Characters of a text in an error."""

_WORD: Final = r"\p{L}\p{N}_"
"""The characters of `\\w` in `re`, which are not those in regex: marks over and under letters are none of them, and
superscripts are."""

_NOT_WORD: Final = (
    r"\p{M}\p{S}\p{Z}\p{C}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\u203f\u2040\u2054\ufe33\ufe34\ufe4d-\ufe4f\uff3f"
)
"""All others, as members of a set."""

_IN_SETS: Final = {r"\w": _WORD, r"\W": _NOT_WORD, "[": r"\["}
"""What differs inside of `[...]`, where regex takes `[:alpha:]` for a class."""

_EDGE: Final = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"

_EMPTY: Final = "" if re.search(r"\B", "") else r"|\A\Z"
"""Before Python 3.14, `\\B` is not found in an empty text."""

_ELSEWHERE: Final = {
    r"\w": f"[{_WORD}]",
    r"\W": f"[^{_WORD}]",
    r"\b": _EDGE,
    r"\B": f"(?!{_EDGE}{_EMPTY})",
    "{": r"\{",
}
"""What differs outside of sets. Braces that are no quantifiers are inexact matching to regex."""

_ESCAPE: Final = r"\\N\{[^}]*\}|\\."
_SET: Final = r"\[\^?\]?(?:\\.|[^\]\\])*\]"
_IN_SET: Final = re.compile(rf"{_ESCAPE}|\[", re.DOTALL)
_PIECE: Final = re.compile(rf"{_SET}|{_ESCAPE}|\(\?#[^)]*\)|\{{(?!\d*,?\d*\}})", re.DOTALL)
_VERBOSE_PIECE: Final = re.compile(rf"#[^\n]*|{_PIECE.pattern}", re.DOTALL)


class SlowPatternError(UsageError):
    """A pattern that reached the time limit on a text."""

    def of_example(self, name: str) -> SlowPatternError:
        """The same error, with the example's name."""
        problem = f"{self.problem} of the example {name!r}"
        return SlowPatternError(problem, got=self.got, where=self.where, hint=self.hint)


class PatternMatch(Protocol):
    """A match."""

    def group(self, which: int | str, /) -> str | None: ...


class Pattern:
    """A regular expression of Python, whose searches end after `LIMIT_S` seconds.

    Args:
        text: the regular expression.
        where: the option or field that it comes from, for errors.

    Raises:
        UsageError: no regular expression, or one whose meaning Python announces to change.
    """

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self._where = where
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                known = re.compile(text)
        except (re.error, FutureWarning, OverflowError, RecursionError) as error:
            raise UsageError(f"no regular expression: {error}", got=repr(text), where=where) from None
        self.groups = known.groups
        self.names = frozenset(known.groupindex)
        self._search = _searched(known)

    def finds(self, text: str) -> bool:
        """Whether the pattern is found in the text.

        Raises:
            SlowPatternError: the time limit.
        """
        return next(self._matches(text), None) is not None

    def last(self, text: str) -> PatternMatch | None:
        """The last match in the text; `None` without one.

        Raises:
            SlowPatternError: the time limit.
        """
        last = None
        for last in self._matches(text):  # noqa: B007 - only the last one counts
            pass
        return last

    def _matches(self, text: str) -> Iterator[PatternMatch]:
        try:
            yield from self._search(text, timeout=LIMIT_S)
        except TimeoutError:
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
            raise SlowPatternError(
                f"the pattern {self.text!r} takes more than {LIMIT_S:g} seconds on the text",
                got=repr(shown),
                where=self._where,
                hint="Change the pattern: groups such as (a+)+ can match one text in very many ways. "
                "What was computed is kept: the same command with another pattern uses it",
            ) from None


@lru_cache(maxsize=1024)
def pattern(text: str, where: str) -> Pattern:
    """The pattern, compiled once. Raises as `Pattern`."""
    return Pattern(text, where)


def _searched(known: re.Pattern[str]) -> Callable[..., Iterator[PatternMatch]]:
    import regex  # pyright: ignore[reportMissingTypeStubs]

    compiled = cast("Any", regex).compile(_translated(known))
    return cast("Callable[..., Iterator[PatternMatch]]", compiled.finditer)


def _translated(known: re.Pattern[str]) -> str:
    """The pattern as regex must read it, to mean the same."""
    pieces = _VERBOSE_PIECE if known.flags & re.VERBOSE else _PIECE
    return pieces.sub(_translated_piece, known.pattern)


def _translated_piece(found: re.Match[str]) -> str:
    piece = found.group()
    if piece.startswith("["):
        return "[" + _IN_SET.sub(lambda each: _IN_SETS.get(each.group(), each.group()), piece[1:])
    return _ELSEWHERE.get(piece, piece)
