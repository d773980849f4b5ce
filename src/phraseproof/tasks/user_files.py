"""A user's own task, from its short YAML file (task_file.py) and the data that the file names (docs/tasks.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Example, Kind, Task
from phraseproof.errors import FileError, TaskError
from phraseproof.tasks import hub
from phraseproof.tasks.answers import AnswerFormat, resolve
from phraseproof.tasks.data_table import DataTable, table_of
from phraseproof.tasks.references import references_of_rows
from phraseproof.tasks.row_options import labels_of_rows, options_of_rows
from phraseproof.tasks.tables import read_table
from phraseproof.tasks.task_file import (
    AnswerColumn,
    FirstRows,
    HubData,
    ReadTaskFile,
    ReferenceColumns,
    TaskFile,
    json_schema,
)
from phraseproof.typed_yaml import parse
from phraseproof.yaml_document import holds_rows, load

__all__ = ["RESERVED", "json_schema", "load_file"]

RESERVED = frozenset({"choices", "choice_count", "letters", "choice", "letter", "index"})
"""Names that have a special meaning in templates (docs/wordings.md), so no field may have them."""


def load_file(path: Path) -> Task:
    """The task that a YAML file describes, with all its examples.

    Raises:
        FileError: a YAML or data file that cannot be read, or whose rows cannot be turned into examples.
        TaskError: a hub data set that cannot be loaded.
    """
    if holds_rows(path):
        neighbour = next((each for each in map(path.with_suffix, (".yaml", ".yml")) if each.is_file()), None)
        raise FileError(
            "data, not a task",
            expected="a YAML file that names the data, and its columns of fields and answers",
            where=str(path),
            hint=f"Did you mean '{neighbour}'?" if neighbour else "docs/tasks.md shows one",
        )
    document = load(path)
    task = ReadTaskFile(parse(document, path, TaskFile), document, path)
    _require_choices_of_kind(task)
    answer = _answer_source(task)
    table = _table(task, "data")
    examples, answer_format = _examples(task, table, answer)
    # Demonstrations from a separate file are read as the examples' answers were: one format for the whole task.
    demonstrations = _demonstrations(task, answer._replace(format=answer_format), examples)
    if isinstance(demonstrations, int):
        demonstrations, examples = examples[:demonstrations], examples[demonstrations:]
    return Task(
        name=task.file.name,
        kind=task.file.kind,
        category=task.file.category or task.file.name,
        examples=tuple(examples),
        demonstrations=tuple(demonstrations),
        source=table.place,
    )


class _AnswerSource(NamedTuple):
    """Where answers are: one column, or several of references; and the format of answers that name options."""

    columns: tuple[str, ...]
    format: AnswerFormat | None = None


def _require_choices_of_kind(task: ReadTaskFile) -> None:
    """Refuse a kind with options that has no `choices`, and a free-text kind that has some."""
    kind, has_choices = task.file.kind, task.file.choices is not None
    if kind.has_options and not has_choices:
        raise FileError(
            "the field 'choices' is missing",
            expected=f"the options of a {kind.value} task",
            where=task.where("kind"),
            hint=f"Tasks without options are of the kind {', '.join(each for each in Kind if not each.has_options)}",
        )
    if has_choices and not kind.has_options:
        raise FileError(
            f"a {kind.value} task has no options",
            where=task.where("choices"),
            hint=f"Leave out `choices`, or name a kind with options: {', '.join(k for k in Kind if k.has_options)}",
        )


def _answer_source(task: ReadTaskFile) -> _AnswerSource:
    value = task.file.answer
    if isinstance(value, str):
        return _AnswerSource((value,))
    if isinstance(value, dict) and "columns" in value:
        columns = task.part("answer", ReferenceColumns).columns
        if task.file.kind.has_options:
            raise FileError(
                f"a {task.file.kind.value} task has one column of right answers",
                got=", ".join(columns),
                where=task.where("answer", "columns"),
            )
        return _AnswerSource(tuple(columns))
    column = task.part("answer", AnswerColumn)
    if column.format is not None and not task.file.kind.has_options:
        raise FileError(
            f"the answers of a {task.file.kind.value} task are texts",
            got=f"as: {column.format.value}",
            where=task.where("answer", "as"),
            hint="Leave out `as`, which says how answers name options",
        )
    return _AnswerSource((column.column,), column.format)


def _demonstrations(task: ReadTaskFile, answer: _AnswerSource, examples: Sequence[Example]) -> list[Example] | int:
    """The demonstrations, or how many of the first examples they are."""
    value = task.file.demonstrations
    if value is None:
        return []
    if isinstance(value, dict) and "first" in value:
        first = task.part("demonstrations", FirstRows).first
        if first >= len(examples):
            raise FileError(
                "the demonstrations leave no example to score",
                expected=f"fewer than the {len(examples)} rows",
                got=str(first),
                where=task.where("demonstrations", "first"),
            )
        return first
    return _examples(task, _table(task, "demonstrations"), answer)[0]


def _table(task: ReadTaskFile, field: str) -> DataTable:
    value: object = getattr(task.file, field)
    if isinstance(value, str):
        return read_table(task.path.parent / value, where=task.where(field))
    if not isinstance(value, dict):
        raise FileError(
            f"`{field}` is neither a path nor a hub data set",
            expected="a path, or {hub: org/name, split: test}",
            got=repr(value),
            where=task.where(field),
        )
    data = task.part(field, HubData)
    rows = hub.load_rows(
        data.hub,
        config=data.config,
        split=data.split,
        revision=data.revision,
        hint="With a copy on disk, give its path as `data` instead",
    )
    place = hub.describe(data.hub, config=data.config, split=data.split, revision=data.revision)
    if not rows:
        raise TaskError("the data set has no rows", where=place)
    return table_of(rows, place)


# ------------------------------------------------------------------------------------------------------------ examples


def _examples(task: ReadTaskFile, table: DataTable, answer: _AnswerSource) -> tuple[list[Example], AnswerFormat | None]:
    """The examples, and the format in which their answers name options."""
    fields = _fields(task, table, answer.columns)
    for column in answer.columns:
        table.require(column, task.where("answer"))
    if task.file.kind.has_options:
        return _examples_with_options(task, table, answer, fields)
    identifiers = _identifiers(task, table)
    references = references_of_rows(table, answer.columns)
    examples = [
        Example(
            id=identifiers[row],
            fields={field: table.cell(row, column) for field, column in fields.items()},
            reference=texts[0],
            other_references=texts[1:],
        )
        for row, texts in enumerate(references)
    ]
    return examples, None


def _examples_with_options(
    task: ReadTaskFile, table: DataTable, answer: _AnswerSource, fields: Mapping[str, str]
) -> tuple[list[Example], AnswerFormat]:
    (column,) = answer.columns
    choices = options_of_rows(task, table)
    rows = range(len(table.rows))
    resolved = resolve(
        [table.cell(row, column) for row in rows],
        choices,
        column=column,
        answer_format=answer.format,
        where=table.where,
        labels=labels_of_rows(task, table),
    )
    identifiers = _identifiers(task, table)
    examples = [
        Example(
            id=identifiers[row],
            fields={field: table.cell(row, name) for field, name in fields.items()},
            choices=choices[row],
            option_scores=tuple(float(index == resolved.targets[row]) for index in range(len(choices[row]))),
        )
        for row in rows
    ]
    return examples, resolved.format


def _fields(task: ReadTaskFile, table: DataTable, answers: Sequence[str]) -> dict[str, str]:
    """Template field -> column. Without `fields` these are all columns except the answers', which would leak them."""
    if task.file.fields is None:
        # An unnamed column is the row index that spreadsheets and data frames leave behind.
        hidden = {*answers, *(name.partition(".")[0] for name in answers if name not in table.columns)}
        return {name: name for name in table.columns if name and name not in hidden and name not in RESERVED}
    for field, column in task.file.fields.items():
        where = task.where("fields", field)
        if field in RESERVED:
            raise FileError(f"the name {field!r} is reserved by the template language", where=where)
        if not re.fullmatch(r"[^\W\d]\w*", field):
            raise FileError(
                f"{field!r} cannot be used as a name in a template",
                expected="letters, digits and underscores, not starting with a digit",
                where=where,
            )
        table.require(column, where)
    return task.file.fields


def _identifiers(task: ReadTaskFile, table: DataTable) -> list[str]:
    column = task.file.id
    if column is None:
        return [str(row) for row in range(len(table.rows))]
    table.require(column, task.where("id"))
    seen: dict[str, int] = {}
    for row in range(len(table.rows)):
        identifier = str(table.cell(row, column))
        if identifier in seen:
            raise FileError(
                f"the id {identifier!r} is used twice",
                got=f"first at {table.where(seen[identifier])}",
                where=table.where(row),
            )
        seen[identifier] = row
    return list(seen)
