"""Errors as one line of text: what was expected, what was found, where, and what to do about it.

Everything a user can cause raises a `PhraseproofError`; the command line prints it without a traceback and exits with
its `exit_code`. Anything else that escapes is a bug of ours and exits with 1.
"""

from __future__ import annotations

import unicodedata
from typing import ClassVar, Self

_NOT_PRINTED = frozenset({"Cc", "Cs"})
_MARKS_OF_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that let a text show in another order than it is written."""


def printable(text: str) -> str:
    """A text with its control characters and halves of surrogate pairs as escapes, which a terminal does not obey.

    Line ends and tabs stay. Whatever comes from a file, a server or a model passes through here before it is printed.
    """
    return "".join(
        ascii(character)[1:-1]
        if character in _MARKS_OF_DIRECTION
        or (unicodedata.category(character) in _NOT_PRINTED and character not in "\n\t")
        else character
        for character in text
    )


class PhraseproofError(Exception):
    """The base of every error that phraseproof raises on purpose.

    Args:
        problem: what is wrong, as a clause without a full stop ("unknown field 'lables'").
        expected: what would have been right ("one of: id, ask, layout").
        got: what was found instead.
        where: the place, as `file:line`, `file:line, field` or an option's name.
        hint: what the user can do next.
    """

    exit_code: ClassVar[int] = 2

    def __init__(
        self,
        problem: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        where: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.problem = problem
        self.expected = expected
        self.got = got
        self.where = where
        self.hint = hint
        super().__init__(str(self))

    def __reduce__(self) -> tuple[object, ...]:
        """As data for another process, also of a kind whose own arguments are others than those above."""
        return _made_again, (type(self), *self.args), vars(self)

    def __str__(self) -> str:
        line = f"{self.where}: {self.problem}" if self.where else self.problem
        details = [f"{name} {text}" for name, text in (("expected", self.expected), ("got", self.got)) if text]
        if details:
            line += f" ({', '.join(details)})"
        if self.hint:
            line += f". {self.hint}"
        return printable(" ".join(line.split()))


def _made_again(kind: type[PhraseproofError], *args: object) -> PhraseproofError:
    return kind.__new__(kind, *args)


class UsageError(PhraseproofError):
    """An option or argument that cannot be used as given."""


class FileError(PhraseproofError):
    """A file of the user's that cannot be read, or does not say what its format requires."""


class TaskError(PhraseproofError):
    """A task that does not exist, or whose data cannot be turned into examples."""


class InstructionError(PhraseproofError):
    """A wording that cannot be read or cannot be rendered."""


class ModelError(PhraseproofError):
    """A model or adapter that cannot be loaded, or lacks a requested capability."""


class StoppedError(ModelError):
    """A model that gives no further answers now, as a server that refuses the key. What was computed is kept."""

    def with_hint(self, hint: str) -> Self:
        """The same error; `hint` says more on how to continue, after what the user can do first."""
        first = "" if not self.hint or "same command" in self.hint else f"{self.hint}. "
        return type(self)(self.problem, expected=self.expected, got=self.got, where=self.where, hint=first + hint)


class NoAnswerError(ModelError):
    """A request that got no answer after all repetitions: the server cannot be reached, is silent or busy."""


class ServerGoneError(NoAnswerError, StoppedError):
    """A server that leaves all requests without an answer."""


class ImpossibleScoreError(ModelError):
    """A model reports numbers that cannot be probabilities, so none of its numbers can be trusted."""


class LimitReachedError(StoppedError):
    """A limit of requests or cost that the user set is reached. The same command continues."""

    exit_code: ClassVar[int] = 4


class SelfTestError(ModelError):
    """A model that loads, but whose scores cannot be trusted."""


class RunError(PhraseproofError):
    """A run folder that cannot be used as asked."""


class NotEnoughDataError(PhraseproofError):
    """A statistic that the stored outcomes do not determine."""


class CollectError(PhraseproofError):
    """A collecting project that cannot be used as asked."""


class MissingExtraError(PhraseproofError):
    """A feature whose optional packages are not installed."""

    def __init__(self, feature: str, *, extra: str, package: str) -> None:
        super().__init__(
            f"{feature} needs the package {package}, which is not installed",
            hint=f"Install it with: pip install 'phraseproof[{extra}]'",
        )
