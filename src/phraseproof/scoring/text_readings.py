r"""How the chosen option is read from a text: the readings that a user may name with `--extract`.

* `auto`: the rules of `extraction.py`.
* `last_line`: the last line is an option, states one (`answer: X`), begins with its letter and mark, or names exactly
  one.
* `option_text`: the text is the text of an option, or names exactly one by its text. Letters do not count.
* `conclusion`: the last statement of the form `answer is X` or `answer: X` in the whole text; without one, as
  `last_line`. The last line of a text that ended at the maximum number of tokens is no conclusion. This reads answers
  after a reasoning.
* `regex:PATTERN`: what a regular expression of Python finds in its last match: the group `answer`, else the only group,
  else the whole match. It is read as a last line is. `regex:(?s)\A.*?(\d)` finds the first digit.

In all of them, blocks of thoughts are left out; in all but `regex`, a JSON object with the key `answer` is replaced by
its value.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from phraseproof.errors import UsageError
from phraseproof.scoring.extraction import (
    OptionNames,
    answer_in_json,
    first_found,
    read_option,
    without_thoughts,
)
from phraseproof.scoring.patterns import pattern as timed_pattern

AUTO = "auto"
CONCLUSION = "conclusion"
REGEX = "regex"
_ANSWER = "answer"
"""The group of a pattern that counts where it has several."""


class TextReading(ABC):
    """Reads the chosen option from a text.

    Attributes:
        name: as users name it, with the pattern where there is one.
        reads_end: the end of the text decides, not its beginning.
    """

    name: str
    reads_end: ClassVar[bool] = False

    @abstractmethod
    def read(
        self, text: str, options: Sequence[str], choices: Sequence[str] = (), *, is_cut: bool = False
    ) -> int | None:
        """The index of the option that a text chooses; `None` if it names none, or several.

        Args:
            text: what the model wrote.
            options: the answers that the wording asks for, as letters.
            choices: the texts of the choices, parallel to `options`, if they differ.
            is_cut: the text ended at the maximum number of tokens.

        Raises:
            SlowPatternError: the user's pattern takes too long on the text.
        """


def text_reading(name: str) -> TextReading:
    """The reading of that name.

    Raises:
        UsageError: an unknown name, or a pattern that cannot be used.
    """
    base, colon, pattern = name.partition(":")
    if base == REGEX:
        return _Pattern(pattern)
    if colon or base not in _READINGS:
        close = difflib.get_close_matches(name, _READINGS, n=1)
        raise UsageError(
            f"unknown way to read an option from a text: {name!r}",
            expected=f"one of: {', '.join(_READINGS)}, {REGEX}:PATTERN",
            where="--extract",
            hint=f"Did you mean {close[0]!r}?" if close else None,
        )
    return _READINGS[base]


class _Auto(TextReading):
    name = AUTO

    def read(
        self, text: str, options: Sequence[str], choices: Sequence[str] = (), *, is_cut: bool = False
    ) -> int | None:
        del is_cut
        return read_option(text, options, choices)


class _LastLine(TextReading):
    name = "last_line"
    reads_end = True

    def read(
        self, text: str, options: Sequence[str], choices: Sequence[str] = (), *, is_cut: bool = False
    ) -> int | None:
        del is_cut
        names = OptionNames(options, choices)
        return _read_short(names.last_line(_answer_of(text)), names)


class _OptionText(TextReading):
    name = "option_text"

    def read(
        self, text: str, options: Sequence[str], choices: Sequence[str] = (), *, is_cut: bool = False
    ) -> int | None:
        del is_cut
        answer = _answer_of(text)
        names = OptionNames(choices or options, ())
        return first_found(names.equal_to(answer), names.only_one_in(answer))


class _Conclusion(TextReading):
    name = CONCLUSION
    reads_end = True

    def read(
        self, text: str, options: Sequence[str], choices: Sequence[str] = (), *, is_cut: bool = False
    ) -> int | None:
        answer = _answer_of(text)
        names = OptionNames(options, choices)
        stated = names.stated_in(answer)
        return stated if stated is not None or is_cut else _read_short(names.last_line(answer), names)


class _Pattern(TextReading):
    def __init__(self, pattern: str) -> None:
        self.name = f"{REGEX}:{pattern}"
        where = f"--extract {REGEX}:PATTERN"
        if not pattern:
            raise UsageError("the reading 'regex' needs a pattern", expected=f"{REGEX}:PATTERN", where="--extract")
        self._pattern = timed_pattern(pattern, where)
        if self._pattern.groups > 1 and _ANSWER not in self._pattern.names:
            raise UsageError(
                f"the pattern has {self._pattern.groups} groups, and one holds the answer",
                expected=f"one group, or one named {_ANSWER}: (?P<{_ANSWER}>...)",
                got=repr(pattern),
                where=where,
                hint="Write groups that hold no answer as (?:...)",
            )
        is_named = _ANSWER in self._pattern.names
        self._group: str | int = _ANSWER if is_named else self._pattern.groups

    def read(
        self, text: str, options: Sequence[str], choices: Sequence[str] = (), *, is_cut: bool = False
    ) -> int | None:
        del is_cut
        found = self._pattern.last(without_thoughts(text))
        answer = (found.group(self._group) or "") if found else ""
        return _read_short(answer, OptionNames(options, choices))


def _answer_of(text: str) -> str:
    return answer_in_json(without_thoughts(text))


def _read_short(text: str, names: OptionNames) -> int | None:
    """The option that a short text is, states, begins with, or alone names."""
    if not text.strip():
        return None
    rest = names.after_list(text)
    return first_found(names.equal_to(text), names.stated_in(text), names.begins(rest), names.only_one_in(rest))


_READINGS: dict[str, TextReading] = {
    reading.name: reading for reading in (_Auto(), _LastLine(), _OptionText(), _Conclusion())
}
"""Those without an argument."""
