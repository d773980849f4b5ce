"""The YAML file of a collection: its fields, its JSON Schema, and its wordings read with file and line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, WithJsonSchema

from phraseproof.core import Instruction, Relation
from phraseproof.errors import FileError
from phraseproof.instructions.template import compile_instruction, quoted
from phraseproof.typed_yaml import JSON_SCHEMA, Document, StrictModel, line_of, load, parse

TASK_DESIGNER = "task_designer"
"""The collection without a file: each task's own data brings its designer's wordings."""

_VERBALIZERS = {"letter": "{{ letter }}", "text": "{{ choice }}"}
_VERBALIZER_OF_LABEL = {"letter": "{{ letter }}", "lower": "{{ letter | lower }}", "number": "{{ index + 1 }}"}


def misread_by_yaml(value: object) -> str | None:
    """Why YAML made something other than text of a value that was meant as text, or None."""
    if isinstance(value, bool):
        return "YAML reads a bare yes, no, on, off, true or false as a truth value; put it in quotes"
    if isinstance(value, int | float):
        return "YAML reads this as a number; put it in quotes"
    return None


def _not_misread(value: object) -> object:
    problem = misread_by_yaml(value)
    if problem:
        raise ValueError(problem)
    return value


def _label(value: str) -> str:
    if not value or value != value.strip() or not value.isprintable():
        raise ValueError("a name needs printable characters on one line, with no space at its ends")
    return value


def _collection_name(value: str) -> str:
    if "/" in value:
        raise ValueError("a collection's name has no slash (a wording is called NAME/ID)")
    if value == TASK_DESIGNER:
        raise ValueError(f"the name {TASK_DESIGNER} is reserved for the wordings that tasks bring themselves")
    return value


Text = Annotated[str, BeforeValidator(_not_misread)]
Label = Annotated[Text, AfterValidator(_label)]

# `for` and `answer` have several forms. They are read by functions below, whose errors are clearer than a union's; the
# schema lists the forms for editors.
_NAMES = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_ANSWERS = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
    ]
}
Serves = Annotated[
    object,
    WithJsonSchema(_NAMES),
    Field(
        alias="for",
        description="What the wording serves: a task's name, a category, a kind, or a list of these. Absent: any task.",
        examples=["mmlu", ["multiple_choice", "binary"]],
    ),
]


class _Provenance(StrictModel):
    relation: Relation | None = Field(
        default=None,
        strict=False,
        description="How the wording relates to what a model was tuned on, or to the wording it was made from.",
        examples=["unobserved"],
    )
    author: Text | None = Field(default=None, description="Who wrote it.", examples=["Ada"])
    source: Text | None = Field(default=None, description="Where it comes from.", examples=["a workshop in 2024"])
    licence: Text | None = Field(default=None, description="The licence it is published under.", examples=["CC0-1.0"])


class WordingEntry(_Provenance):
    """One wording: either `ask` (with or without `layout`) or `template`."""

    id: Label = Field(description="Unique in the collection.", examples=["which-team"])
    ask: Text | None = Field(
        default=None,
        description="What is asked: a Jinja template.",
        examples=["Which team should answer this message?"],
    )
    layout: Text | None = Field(
        default=None,
        description="How one example is laid out: a Jinja template that goes with `ask`.",
        examples=["{{ message }}"],
    )
    template: Text | None = Field(
        default=None,
        description="Ask and example in one Jinja template, in place of `ask` and `layout`.",
        examples=["{{ message }}\nIs this a bill, a bug or praise? It is"],
    )
    answer: Annotated[object, WithJsonSchema(_ANSWERS)] = Field(
        default=None,
        description="The verbalizer, which writes each option as an answer: letter, text, a list or a mapping of "
        "answers, or a Jinja template. Absent: the label that the prompt gives options, else their texts.",
        examples=["letter", ["no", "yes"], {"billing": "a bill"}, "{{ choice | lower }}"],
    )
    target_delimiter: Text | None = Field(
        default=None,
        # The key's former name is still read.
        validation_alias=AliasChoices("target_delimiter", "answer_prefix"),
        description="The text between prompt and answer. Absent: the prompt format's own (one space, or nothing).",
        examples=["\n"],
    )
    order: Literal["ask-first", "ask-last"] | None = Field(
        default=None, description="Whether the ask comes before the layout (the default) or after it."
    )
    separator: Text | None = Field(
        default=None, description="The text between ask and layout; by default an empty line.", examples=["\n"]
    )
    for_: Serves = None
    fallback: bool | None = Field(
        default=None, description="true: serves only tasks for which the collection has no other wording."
    )


class CollectionFile(_Provenance):
    """A collection of wordings. `for`, `fallback` and provenance apply to every wording that does not set its own."""

    name: Annotated[Label, AfterValidator(_collection_name)] = Field(
        description="The collection's name; a wording is called NAME/ID in results.", examples=["ticket-wordings"]
    )
    for_: Serves = None
    fallback: bool = Field(
        default=False, description="true: the wordings serve only tasks for which the collection has no other."
    )
    instructions: list[WordingEntry] = Field(description="The wordings, at least one.")


def json_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of a collection's file, for editors and other programs."""
    schema = CollectionFile.model_json_schema(by_alias=True)
    properties: dict[str, dict[str, object]] = schema["$defs"]["WordingEntry"]["properties"]
    properties["answer_prefix"] = {**properties["target_delimiter"], "deprecated": True}
    return {**schema, "$schema": JSON_SCHEMA, "title": "phraseproof collection"}


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
    document = load(path)
    file = parse(document, path, CollectionFile)
    if not file.instructions:
        raise FileError("the collection holds no wordings", where=f"{path}:{line_of(document, ('instructions',))}")
    wordings: list[Instruction] = []
    first_use: dict[str, str | None] = {}
    for index, entry in enumerate(file.instructions):
        place = _Place(document, path, index)
        wording = _instruction(entry, file, place)
        require_new_id(wording, first_use)
        compiled = compile_instruction(wording)
        if entry.answer is None:  # the default depends on the labels that the compiled prompt shows
            wording = replace(wording, answer=_default_verbalizer(compiled.labels, place))
        wordings.append(wording)
    return FileContent(file.name, tuple(wordings))


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
class _Place:
    """A wording's place in its file; without `index`, the file's top level."""

    document: Document
    path: Path
    index: int | None = None

    def where(self, *fields: str | int) -> str:
        location = (*(("instructions", self.index) if self.index is not None else ()), *fields)
        line = line_of(self.document, location)
        return f"{self.path}:{line}" + (f", {'.'.join(map(str, fields))}" if fields else "")


def _instruction(entry: WordingEntry, file: CollectionFile, place: _Place) -> Instruction:
    _check_parts(entry, place)
    serves = entry.for_ if entry.for_ is not None else file.for_
    served_at = place if entry.for_ is not None else _Place(place.document, place.path)
    wording = Instruction(
        id=entry.id,
        collection=file.name,
        ask=entry.ask,
        layout=entry.layout,
        template=entry.template,
        ask_last=entry.order == "ask-last",
        answer=_verbalizer(entry.answer, place),
        target_delimiter=entry.target_delimiter,
        serves=_serves(serves, served_at),
        fallback=file.fallback if entry.fallback is None else entry.fallback,
        relation=entry.relation or file.relation,
        author=entry.author or file.author,
        source=entry.source or file.source,
        licence=entry.licence or file.licence,
        origin=place.where(),
    )
    return wording if entry.separator is None else replace(wording, separator=entry.separator)


def _check_parts(entry: WordingEntry, place: _Place) -> None:
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
    for field, value in (("ask", entry.ask), ("template", entry.template)):
        if value is not None and not value.strip():
            raise FileError(f"the {field} is empty", where=place.where(field))


def _serves(value: object, place: _Place) -> tuple[str, ...]:
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


def _verbalizer(value: object, place: _Place) -> str:
    """The Jinja template that a file's `answer` stands for."""
    if value is None:  # replaced by _default_verbalizer once the templates are compiled
        return _VERBALIZERS["text"]
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
    if isinstance(value, str) and value in _VERBALIZERS:
        return _VERBALIZERS[value]
    if isinstance(value, str) and ("{{" in value or "{%" in value):
        return value
    raise FileError(
        "`answer` does not say how options are written",
        expected="letter, text, a list or a mapping of answers, or a template with {{ ... }}",
        got=repr(cast(object, value)),
        where=place.where("answer"),
    )


def _default_verbalizer(labels: frozenset[str], place: _Place) -> str:
    """The verbalizer when `answer` is absent: the label that the prompt gives options, else their texts."""
    if not labels:
        return _VERBALIZERS["text"]
    if len(labels) == 1 and labels <= _VERBALIZER_OF_LABEL.keys():
        return _VERBALIZER_OF_LABEL[min(labels)]
    raise FileError(
        f"options are labelled by {' and '.join(sorted(labels))}, and `answer` is absent",
        where=place.where(),
        hint="Add answer: letter, text, or a template",
    )


def _label_word(value: object, place: _Place, *location: str | int) -> str:
    where = place.where("answer", *location)
    misread = misread_by_yaml(value)
    if misread:
        raise FileError(misread, got=repr(value), where=where)
    if not isinstance(value, str) or not value.strip():
        raise FileError("an answer must be a text that is not empty", got=repr(value), where=where)
    return value
