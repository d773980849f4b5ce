"""The result of an import: wordings, and those that could not be represented, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, NoReturn

from phraseproof.core import Instruction
from phraseproof.instructions.template import quoted


class Refused(NamedTuple):
    """A wording that could not be represented.

    Attributes:
        name: its name in the source.
        where: its file, with the line if it is known.
        reason: a clause; the same words for the same cause, so that reasons can be counted.
        detail: the part of this wording that the reason refers to.
    """

    name: str
    where: str
    reason: str
    detail: str = ""


class UnrepresentableError(Exception):
    """Raised in importers for a wording that cannot be represented; it becomes a `Refused`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = " ".join(detail.split())
        super().__init__(f"{reason}: {detail}" if detail else reason)


@dataclass(slots=True)
class ParseResult:
    """The wordings of one source.

    Attributes:
        files: (collection, stem of the file) -> its wordings, in the order of the source.
        refused: the wordings that could not be represented.
        files_read: the number of files that were read.
        repeats: the number of wordings that were left out because they equal another one for the same tasks.
    """

    files: dict[tuple[str, str], list[Instruction]] = field(default_factory=dict[tuple[str, str], list[Instruction]])
    refused: list[Refused] = field(default_factory=list[Refused])
    files_read: int = 0
    repeats: int = 0
    _taken: set[str] = field(default_factory=set[str])
    _numbers: dict[str, int] = field(default_factory=dict[str, int])
    _contents: set[tuple[object, ...]] = field(default_factory=set[tuple[object, ...]])

    def add(self, stem: str, wording: Instruction, *, repeated: bool = False) -> None:
        """Add a wording to the file `stem` of its collection.

        A wording that equals another one is left out, unless `repeated`. A second wording of one name gets a number.
        """
        parts = (wording.ask, wording.layout, wording.template, wording.ask_last, wording.separator)
        delimiters = (wording.target_delimiter, wording.fewshot_delimiter)
        content = (wording.collection, wording.serves, *parts, wording.answer, *delimiters)
        if content in self._contents and not repeated:
            self.repeats += 1
            return
        self._contents.add(content)
        # Two wordings of one source may have the same name; ids must be unique in a collection.
        number = self._numbers.get(wording.name, 1)
        while (name := wording.name if number == 1 else f"{wording.name} ({number})") in self._taken:
            number += 1
        self._taken.add(name)
        self._numbers[wording.name] = number + 1
        if number > 1:
            wording = replace(wording, id=f"{wording.id} ({number})")
        self.files.setdefault((wording.collection, stem), []).append(wording)

    def refuse(self, name: str, where: str, error: UnrepresentableError) -> None:
        """Record a wording that could not be represented, with its reason."""
        self.refused.append(Refused(name, where, error.reason, error.detail))

    @property
    def wordings(self) -> Iterator[Instruction]:
        """All wordings, file by file."""
        for members in self.files.values():
            yield from members


def stem_of(dataset: str) -> str:
    """The name of a file, without suffix, for the wordings of a data set. Different data sets have different names."""
    plain = re.sub(r"[^\w.+-]", lambda match: "-" if match.group() == "/" else f"~{ord(match.group()):x}", dataset)
    return plain.lstrip(".") or "wordings"


def one_line(text: str) -> str:
    """Turn a text into one printable line, for identifiers and remarks."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def listed(answers: Sequence[str]) -> str:
    """The verbalizer that writes the choices, in their order, as `answers`."""
    for index, answer in enumerate(answers):
        if not answer.strip():
            raise UnrepresentableError("an answer is empty", repr(list(answers)))
        if answer in answers[:index]:
            raise UnrepresentableError("two choices have the same answer", repr(list(answers)))
    return f"{{{{ choice | verbalise([{', '.join(map(quoted, answers))}]) }}}}"


def unreadable(reason: str, detail: str = "") -> NoReturn:
    """Raise: the current wording cannot be represented."""
    raise UnrepresentableError(reason, detail)
