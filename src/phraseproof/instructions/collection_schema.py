"""The fields of a collection's YAML file, as pydantic models and as a JSON Schema."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, WithJsonSchema

from phraseproof.core import Relation
from phraseproof.typed_yaml import JSON_SCHEMA, StrictModel

TASK_DESIGNER = "task_designer"
"""The collection without a file: each task's own data brings its designer's wordings."""


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
    system: Text | None = Field(
        default=None,
        description="The system prompt, a Jinja template: the first message of a chat; in formats without roles a "
        "paragraph before everything else.",
        examples=["You sort customers' messages."],
    )
    ask: Text | None = Field(
        default=None,
        description="The ask: a Jinja template.",
        examples=["Which team should answer this message?"],
    )
    layout: Text | None = Field(
        default=None,
        description="How one example is laid out: a Jinja template that is used with `ask`.",
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
    continuation: Text | None = Field(
        default=None,
        description="A Jinja template of the text that is scored after the prompt, which is rendered for each option "
        "and knows `choice`, `letter` and `index`. Absent: the options are scored after one prompt.",
        examples=["{{ rest_of_sentence }}"],
    )
    target_delimiter: Text | None = Field(
        default=None,
        # The key's former name is still read.
        validation_alias=AliasChoices("target_delimiter", "answer_prefix"),
        description="The text between prompt and answer. Absent: the prompt format's own (one space, or nothing).",
        examples=["\n"],
    )
    fewshot_delimiter: Text | None = Field(
        default=None,
        description="The text between two examples of a few-shot prompt; by default an empty line. Chat has turns.",
        examples=["\n###\n"],
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
    """A collection of wordings. `for`, `system`, `fallback` and provenance apply where a wording sets no other."""

    name: Annotated[Label, AfterValidator(_collection_name)] = Field(
        description="The collection's name; a wording is called NAME/ID in results.", examples=["ticket-wordings"]
    )
    for_: Serves = None
    system: Text | None = Field(default=None, description="The system prompt of wordings that do not have their own.")
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
