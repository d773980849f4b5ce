"""What the answers in a user's file mean: an option's text, its letter, or its index.

All answers of a file are read in one format: as texts (exactly as the options have them), as letters (A is the first
option, either case), or as indices (0 is the first option). A format fits only if every answer of the file is an option
under it. Usually one format fits. If several fit and agree on every row, any of them will do. If they disagree on a
row, that is an error, and `answer: {column: ..., as: text}` (or `letter`, `index`) decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

from phraseproof.errors import FileError


class AnswerFormat(StrEnum):
    """How answers are written in a file."""

    TEXT = "text"
    LETTER = "letter"
    INDEX = "index"


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
) -> ResolvedAnswers:
    """Find the right option of every row.

    Args:
        answers: one value per row, as the file has it.
        choices: the options of each row.
        column: the answers' column, for errors.
        answer_format: the format, if the user has named one.
        where: the place of a row, for errors.

    Raises:
        FileError: an answer that is not an option, or answers that several formats read differently.
    """
    candidates = [answer_format] if answer_format else list(AnswerFormat)
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
    if close and close[0] != answer and answer_format in (None, AnswerFormat.TEXT):
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
    text = repr(answer)
    return text if len(text) <= 60 else text[:57] + "..."


def _as_text(answer: object, options: Sequence[str]) -> int | None:
    # JSON and Parquet have truth values; options spell them as JSON does.
    text = str(answer).lower() if isinstance(answer, bool) else str(answer)
    # Of two options with the same text, the text does not say which is meant.
    return options.index(text) if options.count(text) == 1 else None


def _as_letter(answer: object, options: Sequence[str]) -> int | None:
    if not (isinstance(answer, str) and len(answer) == 1 and answer.isascii() and answer.isalpha()):
        return None
    index = ord(answer.upper()) - ord("A")
    return index if index < len(options) else None


def _as_index(answer: object, options: Sequence[str]) -> int | None:
    if isinstance(answer, bool):
        return None
    if isinstance(answer, float) and answer.is_integer():  # what a column of integers with gaps becomes
        answer = int(answer)
    text = str(answer)
    if not (text.isascii() and text.isdigit()) or text != str(int(text)):
        return None
    return int(text) if int(text) < len(options) else None


_READERS: dict[AnswerFormat, Callable[[object, Sequence[str]], int | None]] = {
    AnswerFormat.TEXT: _as_text,
    AnswerFormat.LETTER: _as_letter,
    AnswerFormat.INDEX: _as_index,
}
