"""Regular expressions that users write, with a time limit.

A short pattern may need longer than the universe has on an unfortunate text (`(a+)+$`), and Python's `re` cannot be
stopped. The package regex can. It knows more syntax than `re`; a pattern here means what it means to `re`.
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

_BRACES = re.compile(r"(\\N\{[^}]*\}|\\.|\{\d*,?\d*\})|\{", re.DOTALL)
"""Escapes, quantifiers, and other opening braces: those are plain characters to `re`, and inexact matching to regex."""


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
        self._search = _searched(text)

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


def _searched(text: str) -> Callable[..., Iterator[PatternMatch]]:
    import regex  # pyright: ignore[reportMissingTypeStubs]

    compiled = cast("Any", regex).compile(_BRACES.sub(lambda found: found[1] or r"\{", text))
    return cast("Callable[..., Iterator[PatternMatch]]", compiled.finditer)
