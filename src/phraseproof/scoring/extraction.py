"""Reads the chosen option from a text that a model wrote: the rules of `auto`, and what other readings share.

The rules, in this order; the first one that names an option decides, and later ones are not tried:

1. Thoughts are left out: everything up to the last mark that closes a block of thoughts. A block that is not closed
   leaves no answer.
2. A JSON object with the key `answer` is replaced by its value.
3. The whole text is an option.
4. The last statement of the form `answer is X` or `answer: X` (also `choice`, `option`), or `\\boxed{X}`.
5. The text begins with a letter and its mark: `B)`, `(B)`, `B.`, `B:`.
6. The last line names exactly one option, and denies nothing.
7. The whole text names exactly one option, and denies nothing.

A text that begins with a list of the options, as `A: bug, B: praise`, repeats the question: rules 5 to 7 read what
follows the list. The last line of a list at the end of a text chooses nothing either.

An option is named by the answer that the wording asks for (a letter) or by the text of the choice. Letters are compared
with their case; texts without it. A letter inside a sentence counts only with a mark next to it, because `A` and `I`
are words. `text_readings.py` has readings with fewer rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import cast

READING_RULES = 3
"""The version of the rules, here and in `text_readings.py`: part of the identity of what was read by them.

1: a list of the options at the beginning of a text was read as its first or last member.
2: so was one at its end; `A)` was not read where the wording asks for `(a)`.
"""

OLDER_RULES = (None, 2)
"""The earlier versions, as identities hold them."""

_CLOSES = re.compile(
    r"</(?:think|thinking|thought|reasoning)>|\[/THINK\]|<\|channel\|>final<\|message\|>", re.IGNORECASE
)
_OPENS = re.compile(r"<(?:think|thinking|thought|reasoning)>|\[THINK\]|<\|channel\|>analysis", re.IGNORECASE)
_AROUND = " \t\r\n*_`\"'.,:;!()[]{}$"
_STATES = (
    r"(?:answer|choice|option)(?:\s+(?:is|would\s+be|must\s+be)\s*:?|\s*[:=])\s*(?:the\s+)?(?:option\s+|letter\s+)?"
)
_JOINED = r"(?:[,/&]|(?:or|and|nor)\b)"
"""What separates several options."""
_DENIES = re.compile(r"\b(?:not|never|neither|nor|cannot|except|wrong|incorrect|unsure)\b|n['\u2019]t\b", re.IGNORECASE)


def read_option(text: str, options: Sequence[str], choices: Sequence[str] = ()) -> int | None:
    """The index of the option that a text chooses; `None` if it names none, or several.

    Args:
        text: what the model wrote.
        options: the answers that the wording asks for, as letters.
        choices: the texts of the choices, parallel to `options`, if they differ.
    """
    answer = answer_in_json(without_thoughts(text))
    if not answer.strip():
        return None
    names = OptionNames(options, choices)
    rest = names.after_list(answer)
    return first_found(
        names.equal_to(answer),
        names.stated_in(answer),
        names.begins(rest),
        names.only_one_in(names.last_line(rest)),
        names.only_one_in(rest),
    )


def first_found(*found: int | None) -> int | None:
    """The first index; `None` without any."""
    return next((index for index in found if index is not None), None)


class OptionNames:
    """What each option may be called.

    Args:
        options: the answers that the wording asks for.
        choices: the texts of the choices, parallel to `options`; none where they do not count.
    """

    def __init__(self, options: Sequence[str], choices: Sequence[str]) -> None:
        rows = list(zip(options, choices, strict=True)) if choices else [(option,) for option in options]
        self._names = [
            tuple(dict.fromkeys(name for each in row for name in (each.strip(), _bare_letter(each)) if name))
            for row in rows
        ]

    def equal_to(self, text: str) -> int | None:
        """The option that the whole text is; with its case if that decides, else without."""
        bare = text.strip(_AROUND)
        for fold in (str, str.casefold):
            found = _one(
                index
                for index, names in enumerate(self._names)
                if any(fold(bare) == fold(name.strip(_AROUND)) or text.strip() == name for name in names)
            )
            if found is not None:
                return found
        return None

    def stated_in(self, text: str) -> int | None:
        """The option of the last statement that says which one it is."""
        found: list[tuple[int, int, int]] = []
        for index, names in enumerate(self._names):
            for name in names:
                pattern = rf"(?:\b{_flagged(_STATES)}[*_`\"'(\[]*|\\boxed\{{\s*(?:\\text\{{)?){_whole(name)}"
                found += [(match.end(), len(name), index) for match in re.finditer(pattern, text)]
        if not found:
            return None
        last = max(start for start, _, _ in found)
        longest = max(length for end, length, _ in found if end == last)
        rest = text[last - longest :]
        if self.after_list(rest) != rest:  # the statement lists the options
            return None
        return _one(index for end, length, index in found if (end, length) == (last, longest))

    def begins(self, text: str) -> int | None:
        """The option whose letter, with a mark, the text begins with, unless another one follows with `or`."""
        return _one(
            index for index, names in enumerate(self._names) if any(re.match(_beginning(name), text) for name in names)
        )

    def after_list(self, text: str) -> str:
        """What follows a list of two or more options, in their order, that the text begins with; else the text."""
        rest, listed, last = text, 0, -1
        while found := next(
            (
                (index, match.end())
                for index in range(last + 1, len(self._names))
                if (match := re.match(_listed(self._names[index]), rest))
            ),
            None,
        ):
            last, end = found
            rest, listed = rest[end:], listed + 1
        return rest if listed > 1 else text

    def last_line(self, text: str) -> str:
        """The last line with a letter or a digit; empty without one, and where it ends a list of the options."""
        lines = [line for line in text.splitlines() if line.strip(_AROUND)]
        ends = ("\n".join(lines[-count:]) for count in range(2, min(len(lines), len(self._names)) + 1))
        is_list = any(not self.after_list(end).strip(_AROUND) for end in ends)
        return lines[-1] if lines and not is_list else ""

    def only_one_in(self, text: str) -> int | None:
        """The option that is named, if no other one is and nothing is denied.

        A name inside a longer name that is found does not count: `pear` in `apple pear`.
        """
        named: set[int] = set()
        rest = text.strip()
        for name in sorted({name for names in self._names for name in names}, key=lambda name: (-len(name), name)):
            rest, count = re.subn(_named(name), "\0", rest)
            if count:
                named |= {
                    index
                    for index, names in enumerate(self._names)
                    if name.casefold() in {other.casefold() for other in names}
                }
        return None if _DENIES.search(rest) else _one(named)


def _one(found: Iterable[int]) -> int | None:
    different = set(found)
    return different.pop() if len(different) == 1 else None


def _bare_letter(option: str) -> str:
    """The letter of an option that is one with marks, as `A` of `(a)`; in capitals, because `a` is a word."""
    bare = option.strip(_AROUND)
    return bare.upper() if _is_letter(bare) and bare != option.strip() else ""


def _is_letter(name: str) -> bool:
    return len(name) == 1 and name.isalnum()


def _beginning(name: str) -> str:
    if not _is_letter(name):
        return r"(?!)"
    letter = re.escape(name)
    return rf"[\s*_`\"']*(?:\({letter}\)|{letter}[*_]*[).:])(?!\s*{_JOINED})"


def _listed(names: Sequence[str]) -> str:
    """A pattern for an option as a member of a list: its letter with a mark, its text, or both."""
    letters = "|".join(rf"\(?{re.escape(name)}(?:[*_]*[).:]|\s*$)" for name in names if _is_letter(name))
    texts = "|".join(_whole(name) for name in names if not _is_letter(name))
    first = f"(?:{letters}|{texts})" if letters and texts else f"(?:{letters or texts})"
    member = rf"{first}(?:[\s*_`\"']*(?:{texts}))?" if texts else first
    return rf"[\s*_`\"'\-]*{member}[\s*_`\"',;.|/]*(?:(?:or|and|nor)\b)?"


def _named(name: str) -> str:
    """A pattern for a name inside a text."""
    if not _is_letter(name):
        return _whole(name)
    letter = re.escape(name)
    marked = rf"\({letter}\)|(?<!\w){letter}(?:[).:]|\s*$)|[*`\"']{letter}[*`\"']"
    return rf"{marked}|(?<!\w){letter}(?=\s*{_JOINED})"


def _whole(name: str) -> str:
    """A pattern for a name that is no part of a longer word; letters with their case, texts without it."""
    body = re.escape(name) if _is_letter(name) else _flagged(re.escape(name))
    before = r"(?<!\w)" if name[:1].isalnum() else ""
    after = r"(?!\w)" if name[-1:].isalnum() else ""
    return f"{before}{body}{after}"


def _flagged(pattern: str) -> str:
    return f"(?i:{pattern})"


def without_thoughts(text: str) -> str:
    """The text after the last block of thoughts; nothing where a block is not closed."""
    closed = list(_CLOSES.finditer(text))
    rest = text[closed[-1].end() :].lstrip() if closed else text
    return "" if _OPENS.search(rest) else rest


def answer_in_json(text: str) -> str:
    """The value of the key `answer` of a JSON object in the text; the text itself without one."""
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        return text
    try:
        found: object = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return text
    value = cast("dict[str, object]", found).get("answer") if isinstance(found, dict) else None
    return value if isinstance(value, str) else text
