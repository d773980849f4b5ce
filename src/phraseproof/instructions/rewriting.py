"""Prepare an ask for a paraphraser and check the answer: placeholders and labels must survive."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple, cast

from phraseproof.core import CutText, Instruction
from phraseproof.errors import InstructionError
from phraseproof.instructions.similarity import words
from phraseproof.instructions.template import compile_instruction
from phraseproof.instructions.template_segments import TemplateSegment, prose, segments, source_of

MAX_LENGTH_RATIO = 5
"""An answer longer than this many times the seed's words, plus 40, is not a paraphrase: the model did not stop."""

_ROOM_WORDS = 40
_MARK = re.compile(r"\[\[(\d+)\]\]")
_QUOTED = re.compile(
    r"\"([^\"\n]{1,60})\"|\u201c([^\u201d\n]{1,60})\u201d|`([^`\n]{1,60})`|(?<!\w)'([^'\n]{1,60})'(?!\w)"
)
_LETTERS = re.compile(r"(?<![\w'])[A-Z](?:(?:\s*[,/]\s*(?:or\s+|and\s+)?|\s+or\s+|\s+and\s+)[A-Z](?![\w']))+")
_NUMBERS = re.compile(r"(?<!\w)\d+(?=\s+(?:for|if|when|means)\b)|(?<!\w)\d+(?:(?:\s*[,/]\s*|\s+or\s+|\s+and\s+)\d+)+")
_PREAMBLE = re.compile(r"^(?:sure|certainly|of course|here(?: is|'s)|okay|ok)\b[^\n]*:\s*\n+", re.IGNORECASE)


class Marked(NamedTuple):
    """An ask in the form that a paraphraser receives.

    Attributes:
        text: the ask, with [[1]], [[2]], ... in place of placeholders.
        code: the placeholders behind the marks, in order.
        labels: words that the answer must repeat: quoted ones, the answers, runs of letters or numbers.
    """

    text: str
    code: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def must_keep(self) -> tuple[str, ...]:
        """The marks and labels, as a list for the paraphraser."""
        return (*(f"[[{number}]]" for number in range(1, len(self.code) + 1)), *(f'"{label}"' for label in self.labels))


class Checked(NamedTuple):
    """The ask that an answer gives, or the reason why it gives none."""

    ask: str | None
    reason: str = ""


def why_not(instruction: Instruction) -> str | None:
    """The reason why a wording cannot be paraphrased, or None."""
    if instruction.ask is None:
        return "its ask cannot be separated from its example (a template)"
    parts = segments(instruction.ask)
    if any(segment.kind == "block" for segment in parts):
        return "its ask holds statements ({% ... %}), which a paraphrase would tear apart"
    if not words(prose(instruction.ask)):
        return "its ask has no words of its own"
    if any(_MARK.search(segment.text) for segment in parts if segment.is_prose):
        return "its ask holds marks like [[1]]"
    return None


def mark(instruction: Instruction) -> Marked:
    """Mark the ask of a wording for which `why_not` returns None."""
    assert instruction.ask is not None
    code: list[str] = []
    text: list[str] = []
    for segment in segments(instruction.ask):
        if segment.kind == "variable":
            code.append(segment.text)
            text.append(f"[[{len(code)}]]")
        elif segment.is_prose:
            text.append(segment.text)
    shown = "".join(text)
    return Marked(shown, tuple(code), tuple(dict.fromkeys(_labels(shown, instruction))))


def check(answer: str, marked: Marked, instruction: Instruction) -> Checked:
    """Turn a paraphraser's answer into the wording's new ask.

    A line of announcement and quotation marks, which chat models add, are removed first.
    """
    text = _bare(answer, marked.text)
    if reason := _damage(answer, text) or _lost_placeholder(text, len(marked.code)):
        return Checked(None, reason)
    for label in marked.labels:
        if not _holds(text, label):
            return Checked(None, f"the label {label!r} is gone")
    # Several paragraphs usually mean that the model answered the instruction instead of rewriting it.
    if "\n\n" in text and "\n\n" not in marked.text.strip():
        return Checked(None, "it has several paragraphs")
    if len(words(text)) > MAX_LENGTH_RATIO * len(words(marked.text)) + _ROOM_WORDS:
        return Checked(None, "it runs on")
    # The pattern's group makes `split` alternate between prose and the marks' numbers.
    split = _MARK.split(text)
    parts = [
        TemplateSegment(marked.code[int(part) - 1], "variable") if place % 2 else TemplateSegment(part, "prose")
        for place, part in enumerate(split)
        if part
    ]
    ask = source_of(parts)
    try:
        compile_instruction(replace(instruction, ask=ask))
    except InstructionError as error:
        return Checked(None, f"it is not a valid template: {error.problem}")
    return Checked(ask)


def _damage(answer: str, text: str) -> str:
    """Why a text is not a whole, readable one; empty if it is."""
    if isinstance(answer, CutText):
        return "it is cut off at the maximum number of tokens"
    if unreadable := next((character for character in text if _is_unreadable(character)), None):
        return f"it holds the character {unreadable!a}"
    return "" if words(_MARK.sub(" ", text)) else "it is empty"


def _lost_placeholder(text: str, number_of_marks: int) -> str:
    """Which mark is not there exactly once, or was not there before; empty if all are right."""
    found = [int(number) for number in _MARK.findall(text)]
    for number in range(1, number_of_marks + 1):
        if found.count(number) != 1:
            times = "is gone" if number not in found else f"is there {found.count(number)} times"
            return f"the placeholder [[{number}]] {times}"
    invented = next((number for number in found if not 1 <= number <= number_of_marks), None)
    return "" if invented is None else f"it invents the placeholder [[{invented}]]"


def _is_unreadable(character: str) -> bool:
    """Whether a text file cannot hold a character, or no reader sees it: controls and halves of surrogate pairs."""
    return unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t"


def _bare(answer: str, seed: str) -> str:
    text = _PREAMBLE.sub("", answer.strip()).strip()
    for opening, closing in (('"', '"'), ("\u201c", "\u201d"), ("'", "'"), ("`", "`")):
        if len(text) < 2 or not (text.startswith(opening) and text.endswith(closing)):
            continue
        # The marks belong together if the next one opens another pair: after "a" or "b" they do not.
        inner = re.search(re.escape(opening), text[1:-1])
        if not seed.strip().startswith(opening) and (inner is None or text[inner.start()] in " (\n"):
            text = text[1:-1].strip()
    return text


def _labels(text: str, instruction: Instruction) -> Iterable[str]:
    for match in _QUOTED.finditer(text):
        label = next(group for group in match.groups() if group is not None).strip()
        if label and not _MARK.search(label):
            yield label
    for answers in compile_instruction(instruction).label_words:
        listed = cast("dict[object, object]", answers).values() if isinstance(answers, dict) else answers
        for label in map(str, cast("Iterable[object]", listed)):
            if _holds(text, label):
                yield label
    for match in _LETTERS.finditer(text):
        yield from re.findall(r"(?<![a-z])[A-Z](?![a-z])", match.group())
    for match in _NUMBERS.finditer(_MARK.sub(" ", text)):
        yield from re.findall(r"\d+", match.group())


def _holds(text: str, label: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(label)}(?!\w)", text) is not None
