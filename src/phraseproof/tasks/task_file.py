"""The YAML file of a user's own task: its fields and its JSON Schema (docs/tasks.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NamedTuple, cast

from pydantic import Field, WithJsonSchema

from phraseproof.core import Kind
from phraseproof.tasks.answers import AnswerFormat
from phraseproof.typed_yaml import JSON_SCHEMA, ModelT, StrictModel, parse
from phraseproof.yaml_document import Document, line_of


class HubData(StrictModel):
    """Rows of a hub data set."""

    hub: str = Field(description="The data set's id on the hub.", examples=["org/name"])
    config: str | None = Field(default=None, description="The data set's configuration, if it has several.")
    split: str = Field(default="test", description="The split to read.")
    revision: str | None = Field(default=None, description="A commit, tag or branch of the data set.")


class FirstRows(StrictModel):
    """Demonstrations from the data's own first rows, which are then not scored."""

    first: int = Field(gt=0, description="How many of the first rows.")


class OptionsColumn(StrictModel):
    """One column that holds all options: a list, or one text that a separator divides."""

    column: str = Field(description="The column's name.")
    separator: str | None = Field(
        default=None, min_length=1, description="The text between two options of a column with one text."
    )


class ColumnPerOption(StrictModel):
    """One column per option."""

    columns: list[str] = Field(min_length=2, description="The columns' names; the last ones may be empty in a row.")


class AnswerColumn(StrictModel):
    """The column of the answers, and how to read them."""

    column: str = Field(description="The column's name; of free-text kinds, one with a text or a list of texts.")
    format: Annotated[AnswerFormat | None, WithJsonSchema({"enum": [*AnswerFormat]})] = Field(
        default=None,
        alias="as",
        strict=False,
        description="How all answers are read. Absent: found out from the data, and an error if that is ambiguous.",
    )


class ReferenceColumns(StrictModel):
    """Several columns of references, of free-text kinds."""

    columns: list[str] = Field(min_length=1, description="The columns' names; all but one may be empty in a row.")


def _forms(*forms: Mapping[str, object]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [dict(form) for form in forms]})


_TEXT = {"type": "string"}
# Fields with several forms are parsed one form at a time (`ReadTaskFile.part`), because the errors of a union name
# every form at once. The schema lists the forms for editors.
_Rows = Annotated[object, _forms(_TEXT, HubData.model_json_schema())]
_Choices = Annotated[
    object,
    _forms(
        {"type": "array", "items": _TEXT, "minItems": 2},
        OptionsColumn.model_json_schema(),
        ColumnPerOption.model_json_schema(),
    ),
]
_Answers = Annotated[
    object, _forms(_TEXT, AnswerColumn.model_json_schema(by_alias=True), ReferenceColumns.model_json_schema())
]
_Demonstrations = Annotated[
    object, _forms(_TEXT, FirstRows.model_json_schema(), HubData.model_json_schema(), {"type": "null"})
]


class TaskFile(StrictModel):
    """A task: where its examples are, and what their columns mean."""

    name: str = Field(
        pattern=r"^[\w.+-]+(/[\w.+-]+)*$",
        description="The task's name in tables and runs; not a built-in task's.",
        examples=["tickets"],
    )
    kind: Kind = Field(
        strict=False,
        description="multiple_choice (options differ from row to row), binary (two options), multi_class (the same "
        "labels everywhere); or, without options, summarization, translation or free_text.",
        examples=["multi_class"],
    )
    category: str | None = Field(
        default=None,
        min_length=1,
        description="The row of a summary table that the task is averaged into; by default its name.",
    )
    data: _Rows = Field(
        description="A path, relative to this file, or a hub data set.",
        examples=["tickets.csv", {"hub": "org/name", "split": "test"}],
    )
    fields: dict[str, str] | None = Field(
        default=None,
        min_length=1,
        description="Template field -> column. Absent: every column except the answer's, under its own name.",
        examples=[{"message": "body"}],
    )
    choices: _Choices | None = Field(
        default=None,
        description="The options: a list of texts, a column that holds them all, or one column per option. Kinds "
        "without options have none.",
        examples=[["billing", "bug", "praise"], {"column": "options", "separator": "|"}, {"columns": ["A", "B"]}],
    )
    answer: _Answers = Field(
        description="The column of the right answers; of kinds without options, the column or columns of the reference "
        "texts.",
        examples=["team", {"column": "team", "as": "text"}, {"columns": ["reference", "another_reference"]}],
    )
    id: str | None = Field(default=None, description="The column of unique ids; by default the row's number, from 0.")
    demonstrations: _Demonstrations = Field(
        default=None,
        description="Where few-shot demonstrations come from. Absent: from the other examples.",
        examples=["train.csv", {"first": 5}],
    )


def json_schema() -> dict[str, object]:
    """The JSON Schema (draft 2020-12) of a task's file, for editors and other programs."""
    return {
        **cast(dict[str, object], TaskFile.model_json_schema(by_alias=True)),
        "$schema": JSON_SCHEMA,
        "title": "phraseproof task",
        "if": {"properties": {"kind": {"enum": [kind.value for kind in Kind if kind.has_options]}}},
        "then": {"required": ["choices"]},
        "else": {"not": {"required": ["choices"]}},
    }


class ReadTaskFile(NamedTuple):
    """A task's file, read; `document` and `path` say where something is, for errors."""

    file: TaskFile
    document: Document
    path: Path

    def where(self, *location: str | int) -> str:
        """`file:line, field` of a value."""
        line = line_of(self.document, location)
        return f"{self.path}:{line}" + (f", {'.'.join(map(str, location))}" if location else "")

    def part(self, field: str, model: type[ModelT]) -> ModelT:
        """One field's value as a separate model, with its own lines."""
        lines = {place[1:]: line for place, line in self.document.lines.items() if place[:1] == (field,)}
        written = {place[1:]: text for place, text in self.document.written.items() if place[:1] == (field,)}
        data = cast(Mapping[str, object], self.document.data)[field]
        return parse(Document(data, lines, written), self.path, model)
