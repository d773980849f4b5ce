"""The YAML file of a collection: its fields, its JSON Schema, and its wordings read with file and line."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import cast

from phraseproof.core import Instruction
from phraseproof.errors import FileError
from phraseproof.instructions.collection_schema import CollectionFile, WordingEntry, misread_by_yaml
from phraseproof.instructions.template import compile_instruction, quoted
from phraseproof.typed_yaml import parse
from phraseproof.yaml_document import Document, holds_rows, line_of, load_text, read_text

LIST_ENDINGS = (".csv", ".tsv", ".json", ".txt")
"""The endings of lists of wordings, which collections can be made of (docs/importing.md)."""

VERBALIZERS = {"letter": "{{ letter }}", "text": "{{ choice }}"}
"""The verbalizers that have a name, as `answer` of a collection's file takes it."""
_VERBALIZER_OF_LABEL = {"letter": "{{ letter }}", "lower": "{{ letter | lower }}", "number": "{{ index + 1 }}"}


# ------------------------------------------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class FileContent:
    """A collection's file, read."""

    name: str
    instructions: tuple[Instruction, ...]


def read_file(path: Path) -> FileContent:
    """The wordings of one YAML file, with every template compiled once, so that a malformed one is found here.

    Raises:
        FileError: the file cannot be read, or is not a collection.
        InstructionError: a template is malformed.
    """
    if holds_rows(path):
        raise FileError(
            "a list, not a collection of wordings",
            expected="a YAML file",
            where=str(path),
            hint=f"`phraseproof instructions import list {shlex.quote(str(path))}` makes one of it"
            if path.suffix.lower() in LIST_ENDINGS
            else "docs/wordings.md shows one",
        )
    return _read_text(read_text(path), path)


# A study plans its steps from the same few collections again and again.
@lru_cache(maxsize=256)
def _read_text(text: str, path: Path) -> FileContent:
    document = load_text(text, path)
    file = parse(document, path, CollectionFile)
    if not file.instructions:
        raise FileError("the collection holds no wordings", where=f"{path}:{line_of(document, ('instructions',))}")
    wordings: list[Instruction] = []
    first_use: dict[str, str | None] = {}
    for index, entry in enumerate(file.instructions):
        place = _EntryPlace(document, path, index)
        wording = _instruction(entry, file, place)
        require_new_id(wording, first_use)
        compiled = compile_instruction(wording)
        if entry.answer is None:  # the default depends on the labels that the compiled prompt shows
            wording = replace(wording, answer=_default_verbalizer(compiled.labels, place))
        wordings.append(wording)
    return FileContent(file.name, tuple(wordings))


def verbalizer_for(labels: frozenset[str]) -> str | None:
    """The verbalizer of a wording without `answer`: the label that the prompt gives options, else their texts.

    Args:
        labels: of a compiled wording.

    Returns:
        `None` where the prompt has several kinds of labels, or one that answers cannot be written in.
    """
    if not labels:
        return VERBALIZERS["text"]
    if len(labels) == 1 and labels <= _VERBALIZER_OF_LABEL.keys():
        return _VERBALIZER_OF_LABEL[min(labels)]
    return None


def require_new_id(wording: Instruction, first_use: dict[str, str | None]) -> None:
    """Note the id of a wording and where it is used, or raise a `FileError` if another wording has it."""
    if wording.id in first_use:
        raise FileError(
            f"the id {wording.id!r} is used twice",
            where=f"{wording.origin}, id",
            hint=f"First used at {first_use[wording.id]}",
        )
    first_use[wording.id] = wording.origin


@dataclass(frozen=True, slots=True)
class _EntryPlace:
    """A wording's place in its file; without `index`, the file's top level."""

    document: Document
    path: Path
    index: int | None = None

    def where(self, *fields: str | int) -> str:
        location = (*(("instructions", self.index) if self.index is not None else ()), *fields)
        line = line_of(self.document, location)
        return f"{self.path}:{line}" + (f", {'.'.join(map(str, fields))}" if fields else "")


def _instruction(entry: WordingEntry, file: CollectionFile, place: _EntryPlace) -> Instruction:
    _check_parts(entry, place)
    serves = entry.for_ if entry.for_ is not None else file.for_
    served_at = place if entry.for_ is not None else _EntryPlace(place.document, place.path)
    wording = Instruction(
        id=entry.id,
        collection=file.name,
        system=file.system if entry.system is None else entry.system,
        ask=entry.ask,
        layout=entry.layout,
        template=entry.template,
        ask_last=entry.order == "ask-last",
        answer=_verbalizer(entry.answer, place),
        continuation=entry.continuation,
        target_delimiter=entry.target_delimiter,
        fewshot_delimiter=entry.fewshot_delimiter,
        serves=_serves(serves, served_at),
        fallback=file.fallback if entry.fallback is None else entry.fallback,
        relation=entry.relation or file.relation,
        author=entry.author or file.author,
        source=entry.source or file.source,
        licence=entry.licence or file.licence,
        origin=place.where(),
    )
    return wording if entry.separator is None else replace(wording, separator=entry.separator)


def _check_parts(entry: WordingEntry, place: _EntryPlace) -> None:
    if entry.ask is not None and entry.template is not None:
        raise FileError("a wording has either ask or template, not both", where=place.where("template"))
    if entry.ask is None and entry.template is None:
        hint = (
            "A layout alone asks nothing; call it template if it is the whole prompt"
            if entry.layout is not None
            else None
        )
        raise FileError(f"the wording {entry.id!r} has neither ask nor template", where=place.where(), hint=hint)
    if entry.layout is None:
        for field, value in (("order", entry.order), ("separator", entry.separator)):
            if value is not None:
                raise FileError(f"{field} requires both an ask and a layout", where=place.where(field))
    elif entry.template is not None:
        raise FileError("a layout goes with an ask, not with a template", where=place.where("layout"))
    for field, value in (("system", entry.system), ("ask", entry.ask), ("template", entry.template)):
        if value is not None and not value.strip():
            raise FileError(f"the {field} is empty", where=place.where(field))


def _serves(value: object, place: _EntryPlace) -> tuple[str, ...]:
    given = cast(list[object], value) if isinstance(value, list) else [] if value is None else [value]
    names = tuple(name for name in given if isinstance(name, str) and name.strip())
    if len(names) < len(given):
        raise FileError(
            "`for` does not name what the wording serves",
            expected="a task's name, a category or a kind, or a list of these",
            got=repr(given),
            where=place.where("for"),
        )
    return names


def _verbalizer(value: object, place: _EntryPlace) -> str:
    """The Jinja template that a file's `answer` means."""
    if value is None:  # replaced by _default_verbalizer once the templates are compiled
        return VERBALIZERS["text"]
    if isinstance(value, list) and value:
        words = [_label_word(word, place, index) for index, word in enumerate(cast(list[object], value))]
        return f"{{{{ choice | verbalise([{', '.join(map(quoted, words))}]) }}}}"
    if isinstance(value, dict) and value:
        # A choice that YAML does not read as text is refused with the same message as an answer.
        pairs = [
            f"{quoted(_label_word(choice, place, choice))}: {quoted(_label_word(word, place, choice))}"
            for choice, word in cast(dict[str | int, object], value).items()
        ]
        return f"{{{{ choice | verbalise({{{', '.join(pairs)}}}) }}}}"
    if isinstance(value, str) and value in VERBALIZERS:
        return VERBALIZERS[value]
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        return value
    raise FileError(
        "`answer` does not say how options are written",
        expected="letter, text, a list or a mapping of answers, or a template with {{ ... }}",
        got=repr(cast(object, value)),
        where=place.where("answer"),
    )


def _default_verbalizer(labels: frozenset[str], place: _EntryPlace) -> str:
    verbalizer = verbalizer_for(labels)
    if verbalizer is not None:
        return verbalizer
    raise FileError(
        f"options are labelled by {' and '.join(sorted(labels))}, and `answer` is absent",
        where=place.where(),
        hint="Add answer: letter, text, or a template",
    )


def _label_word(value: object, place: _EntryPlace, *location: str | int) -> str:
    where = place.where("answer", *location)
    misread = misread_by_yaml(value)
    if misread:
        raise FileError(misread, got=repr(value), where=where)
    if not isinstance(value, str) or not value.strip():
        raise FileError("an answer must be a text that is not empty", got=repr(value), where=where)
    return value
