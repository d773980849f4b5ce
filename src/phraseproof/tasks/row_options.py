"""The options of every row of a user's data, by the three forms of `choices`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from phraseproof.core import Kind
from phraseproof.errors import FileError
from phraseproof.tasks.data_table import DataTable
from phraseproof.tasks.task_file import ColumnPerOption, OptionsColumn, ReadTaskFile

_TEXTS, _LABELS = "text", "label"
"""The keys of options in ARC, OpenBookQA and CommonsenseQA."""


def options_of_rows(task: ReadTaskFile, table: DataTable) -> list[tuple[str, ...]]:
    """The options of every row, checked for number and emptiness.

    Raises:
        FileError: `choices` is malformed, or a row's options are not fit for the task's kind.
    """
    value = task.file.choices
    if isinstance(value, list):
        fixed = _fixed_options(task, cast(list[object], value))
        return [fixed] * len(table.rows)
    form = next((name for name in ("columns", "column") if isinstance(value, dict) and name in value), None)
    if form is None:
        raise FileError(
            "`choices` has none of its three forms",
            expected="a list of texts, {column: NAME} or {columns: [NAME, NAME]}",
            got=repr(value),
            where=task.where("choices"),
        )
    rows = range(len(table.rows))
    if form == "columns":
        columns = task.part("choices", ColumnPerOption).columns
        for index, column in enumerate(columns):
            table.require(column, task.where("choices", "columns", index))
        found = [_from_columns([table.cell(row, column) for column in columns], table.where(row)) for row in rows]
    else:
        options = task.part("choices", OptionsColumn)
        table.require(options.column, task.where("choices", "column"))
        found = [_from_cell(table.cell(row, options.column), options, task, table.where(row)) for row in rows]
    for row, choices in enumerate(found):
        _check_options(choices, task.file.kind, table.where(row))
    return found


def _fixed_options(task: ReadTaskFile, values: list[object]) -> tuple[str, ...]:
    options: list[str] = []
    for index, value in enumerate(values):
        where = task.where("choices", index)
        # YAML reads yes, 010 or 12:30 as other types.
        option = value if isinstance(value, str) else task.document.written.get(("choices", index), value)
        if not isinstance(option, str):
            raise FileError(
                f"the option {option!r} is not text",
                where=where,
                hint="Put the option in quotes",
            )
        if option in options:
            raise FileError(f"the option {option!r} is listed twice", where=where)
        options.append(option)
    _check_options(options, task.file.kind, task.where("choices"))
    return tuple(options)


def _from_columns(values: Sequence[object], where: str) -> tuple[str, ...]:
    """Options from one column each; the last ones may be empty where a row has fewer."""
    texts = [_option(value, where) for value in values]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _from_cell(value: object, options: OptionsColumn, task: ReadTaskFile, where: str) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_option(item, where) for item in cast(list[object], value))
    if isinstance(value, str) and options.separator is not None:
        return tuple(value.split(options.separator))
    texts = _mapping(value).get(_TEXTS)
    if isinstance(texts, list):
        return tuple(_option(item, where) for item in cast(list[object], texts))
    hint = None
    if isinstance(value, str):
        hint = f"If they are one text, add the separator between them at {task.where('choices')}"
    elif lists := [key for key, item in _mapping(value).items() if isinstance(item, list)]:
        hint = f"Name the list in it, as {{column: {options.column}.{lists[0]}}}"
    raise FileError("the options are not a list", got=repr(value)[:60], where=f"{where}, {options.column}", hint=hint)


def labels_of_rows(task: ReadTaskFile, table: DataTable) -> list[tuple[str, ...]] | None:
    """The data's own labels of the options, where every row has them: `{text: [...], label: [...]}` and their paths."""
    if not (isinstance(task.file.choices, dict) and "column" in task.file.choices):
        return None
    column = task.part("choices", OptionsColumn).column.removesuffix(f".{_TEXTS}")
    found: list[tuple[str, ...]] = []
    for row in range(len(table.rows)):
        value = table.cell(row, column) if table.has(column) else None
        items = cast(list[object], value) if isinstance(value, list) else []
        labels = _mapping(value).get(_LABELS) or [_mapping(item).get(_LABELS) for item in items]
        if not isinstance(labels, list) or not labels or None in labels:
            return None
        found.append(tuple(str(label) for label in cast(list[object], labels)))
    return found


def _mapping(value: object) -> dict[str, object]:
    return cast(dict[str, object], value) if isinstance(value, dict) else {}


def _option(value: object, where: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()  # as JSON writes it
    if not isinstance(value, str | int | float):
        raise FileError("an option is not text", got=repr(value)[:60], where=where)
    return str(value)


def _check_options(options: Sequence[str], kind: Kind, where: str) -> None:
    if kind is Kind.BINARY and len(options) != 2:
        raise FileError("a binary task has two options", got=str(len(options)), where=where)
    if len(options) < 2:
        raise FileError("fewer than two options", got=str(len(options)), where=where)
    if not all(options):
        raise FileError("an option is empty", got=repr(list(options))[:60], where=where)
