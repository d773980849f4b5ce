"""What the answers in a user's file mean: an option's text, its letter, its index, or the data's own label of it.

All answers of a file are read in one format: as texts (as the options have them; truth values and numbers also in
another spelling), as letters (A is the first option, either case), as indices (0 is the first option), or as labels, if
the data give every option one (ARC's `{text: [...], label: [...]}`). If labels fit, answers are labels. A format fits
only if every answer of the file is an option under it. Usually one format fits. If several fit and agree on every row,
any of them will do. If they disagree on a row, that is an error, and `answer: {column: ..., as: text}` (or `letter`,
`index`, `label`) decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

from phraseproof.errors import FileError

_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")


class AnswerFormat(StrEnum):
    """How answers are written in a file."""

    TEXT = "text"
    LETTER = "letter"
    INDEX = "index"
    LABEL = "label"


class ResolvedAnswers(NamedTuple):
    """The format of the answers, and the index of the right option of each row."""

    format: AnswerFormat
    targets: list[int]


def resolve(
    answers: Sequence[object],
    choices: Sequence[tuple[str, ...]],
    *,
    column: str,
    answer_format: AnswerFormat | None,
    where: Callable[[int], str],
    labels: Sequence[tuple[str, ...]] | None = None,
) -> ResolvedAnswers:
    """Find the right option of every row.

    Args:
        answers: one value per row, as the file has it.
        choices: the options of each row.
        column: the answers' column, for errors.
        answer_format: the format, if the user has named one.
        where: the place of a row, for errors.
        labels: the data's own labels of the options of each row.

    Raises:
        FileError: an answer that is not an option, or answers that several formats read differently.
    """
    if answer_format is AnswerFormat.LABEL or (labels is not None and answer_format is None):
        by_label = _by_label(answers, labels, f"{where(0)}, {column}")
        if None not in by_label:
            return ResolvedAnswers(AnswerFormat.LABEL, [index for index in by_label if index is not None])
        if labels is not None and answer_format is AnswerFormat.LABEL:
            row = by_label.index(None)
            raise _not_an_option(answers[row], labels[row], f"{where(row)}, {column}", answer_format)
    candidates = [answer_format] if answer_format else list(_READERS)
    if not answer_format and any(isinstance(answer, bool) for answer in answers):
        candidates.remove(AnswerFormat.INDEX)  # which option is the true one is not to be guessed
    found = {
        each: [_READERS[each](answer, options) for answer, options in zip(answers, choices, strict=True)]
        for each in candidates
    }
    fitting = {each: [index for index in targets if index is not None] for each, targets in found.items()}
    fitting = {each: targets for each, targets in fitting.items() if len(targets) == len(answers)}
    if not fitting:
        # The error names the first answer that does not fit the format that fits most of them.
        best = max(candidates, key=lambda each: sum(index is not None for index in found[each]))
        row = found[best].index(None)
        raise _not_an_option(answers[row], choices[row], f"{where(row)}, {column}", best if answer_format else None)
    (first, targets), *others = fitting.items()
    for other, alternative in others:
        row = next((row for row, pair in enumerate(zip(targets, alternative, strict=True)) if pair[0] != pair[1]), None)
        if row is not None:
            raise FileError(
                f"the answer {_shown(answers[row])} means {choices[row][targets[row]]!r} read as {first.value}, "
                f"but {choices[row][alternative[row]]!r} read as {other.value}",
                where=f"{where(row)}, {column}",
                hint=f"Name the format: answer: {{column: {column}, as: {first.value}}} or as: {other.value}",
            )
    return ResolvedAnswers(first, targets)


def _not_an_option(answer: object, options: Sequence[str], where: str, answer_format: AnswerFormat | None) -> FileError:
    close = get_close_matches(str(answer), options, n=1)
    if difference := _look_alike(answer, options):
        hint = difference
    elif isinstance(answer, bool) and answer_format is not AnswerFormat.INDEX:
        hint = "A truth value is the option true or false (or yes or no); as: index makes false the first option"
    elif close and close[0] != answer and answer_format in (None, AnswerFormat.TEXT):
        hint = f"Did you mean {close[0]!r}?"
    elif str(answer) == str(len(options)):
        hint = "Indices count from 0"
    elif answer_format:
        hint = f"Answers are read as {answer_format.value}, as the task's file says"
    else:
        hint = (
            "All answers of a file have one format: the options' texts, their letters, or their indices counted from 0"
        )
    shown = ", ".join(options[:6]) + (", ..." if len(options) > 6 else "")
    return FileError(
        f"the answer {_shown(answer)} is not one of the options", expected=f"one of: {shown}", where=where, hint=hint
    )


def _shown(answer: object) -> str:
    text = str(answer).lower() if isinstance(answer, bool) else repr(answer)  # as JSON writes it
    return text if len(text) <= 60 else text[:57] + "..."


def _look_alike(answer: object, options: Sequence[str]) -> str | None:
    """How an answer differs from the option that it looks like, with both as escapes."""
    if not isinstance(answer, str):
        return None
    option = next((option for option in options if option != answer and _look(option) == _look(answer)), None)
    if option is None:
        return None
    if unicodedata.normalize("NFC", option) == unicodedata.normalize("NFC", answer):
        how = "in their Unicode normal form"
    elif option.strip() == answer.strip():
        how = "in white space at their ends"
    elif option.casefold() == answer.casefold():
        how = "in upper and lower case"
    else:
        how = "in characters that look equal or are not seen"
    return f"It looks like an option and differs from it {how}: {answer!a}, option {option!a}"


def _look(text: str) -> str:
    """A text without what a reader hardly sees."""
    seen = "".join(character for character in text if unicodedata.category(character) not in {"Cf", "Cc"})
    return " ".join(unicodedata.normalize("NFKC", seen).casefold().split())


def _as_text(answer: object, options: Sequence[str]) -> int | None:
    text = str(answer)
    if text in options and not isinstance(answer, bool):
        # Of two options with the same text, the text does not say which is meant.
        return options.index(text) if options.count(text) == 1 else None
    for same in (_truth, _number):
        meant = same(answer)
        fitting = [index for index, option in enumerate(options) if same(option) == meant]
        if meant is not None and len(fitting) == 1:
            return fitting[0]
    return None


def _truth(value: object) -> bool | None:
    """The truth value that a value is or a text names."""
    if isinstance(value, bool):
        return value
    word = value.casefold() if isinstance(value, str) else ""
    return True if word in {"true", "yes"} else False if word in {"false", "no"} else None


def _number(value: object) -> str | None:
    """A number as its shortest text: 1, "1" and "1.0" are the same one; "01" and "1e0" are texts."""
    text = str(value)
    if isinstance(value, bool) or not _PLAIN_NUMBER.fullmatch(text):
        return None
    return text.rstrip("0").rstrip(".") if "." in text else text


def _by_label(answers: Sequence[object], labels: Sequence[tuple[str, ...]] | None, where: str) -> list[int | None]:
    if labels is None:
        raise FileError("the options have no labels", expected="{text: [...], label: [...]}", where=where)
    return [_as_label(answer, row) for answer, row in zip(answers, labels, strict=True)]


def _as_label(answer: object, labels: Sequence[str]) -> int | None:
    text = _number(answer) or str(answer)
    return labels.index(text) if labels.count(text) == 1 else None


def _as_letter(answer: object, options: Sequence[str]) -> int | None:
    if not (isinstance(answer, str) and len(answer) == 1 and answer.isascii() and answer.isalpha()):
        return None
    index = ord(answer.upper()) - ord("A")
    return index if index < len(options) else None


def _as_index(answer: object, options: Sequence[str]) -> int | None:
    if isinstance(answer, bool):
        # The options say themselves which of them is the true one.
        named = [_truth(option) for option in options]
        return int(answer) if len(options) == 2 and named in ([None, None], [False, True]) else None
    text = _number(answer) or str(answer)  # a column of integers with gaps becomes one of floats
    if not (text.isascii() and text.isdigit()) or text != str(int(text)):
        return None
    return int(text) if int(text) < len(options) else None


_READERS: dict[AnswerFormat, Callable[[object, Sequence[str]], int | None]] = {
    AnswerFormat.TEXT: _as_text,
    AnswerFormat.LETTER: _as_letter,
    AnswerFormat.INDEX: _as_index,
}
