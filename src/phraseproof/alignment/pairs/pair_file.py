"""The file format of paraphrase sets: JSON Lines, one set per line (docs/align.md). Errors name line and field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from phraseproof.alignment.pairs.paraphrase_set import SEPARATOR, ParaphraseSet, TeacherRecord, TextOrigin
from phraseproof.errors import FileError, UsageError
from phraseproof.files import write_text
from phraseproof.tasks.data_table import DataTable
from phraseproof.tasks.tables import read_table
from phraseproof.typed_yaml import StrictModel, parse
from phraseproof.yaml_document import Document

_SUFFIXES = (".jsonl", ".json")


def load_pairs(path: Path) -> list[ParaphraseSet]:
    """Read paraphrase sets from a JSON Lines file or a JSON list.

    Raises:
        FileError: the file cannot be read, or a row is not a valid set; names file, line and field.
    """
    table = read_json_rows(path)
    return [_pair(parse_row(table, row, path, _PairRow), table.where(row)) for row in range(len(table.rows))]


def save_pairs(pairs: Iterable[ParaphraseSet], path: Path) -> None:
    """Write paraphrase sets as JSON Lines, atomically. `load_pairs` returns equal sets.

    Raises:
        FileError: the file cannot be written, or a text is not valid Unicode.
    """
    text = "".join(json.dumps(_as_row(pair), ensure_ascii=False) + "\n" for pair in pairs)
    try:
        write_text(path, text)
    except UnicodeEncodeError as error:
        raise FileError(
            "a text holds a lone surrogate, which is no valid character", got=ascii(error.object[error.start])
        ) from None


# ----------------------------------------------------------------------------------------------------------- the fields


def whole_text(value: str) -> str:
    """Check that a text can be written as UTF-8. JSON escapes can spell a lone surrogate, which cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("the text holds a lone surrogate, which is no valid character") from None
    return value


def not_blank(value: str) -> str:
    """Check that a text is more than white space."""
    if not value.strip():
        raise ValueError("the text is empty")
    return value


def _at_least_one(value: list[str]) -> list[str]:
    if not value:
        raise ValueError("the example has no paraphrase")
    return value


Text = Annotated[str, AfterValidator(whole_text)]
WordingText = Annotated[Text, AfterValidator(not_blank)]
Paraphrases = Annotated[list[WordingText], AfterValidator(_at_least_one)]


class _OriginRow(StrictModel):
    text: Text
    name: Text
    template: Text


class _TeacherRow(StrictModel):
    name: Text
    model: Text = ""
    wordings: tuple[Text, ...] = Field(default=(), strict=False)
    calibration: Text = ""
    run: Text = ""


class _PairRow(StrictModel):
    instruction: WordingText
    paraphrases: Paraphrases
    input: Text
    target: WordingText | None = None
    negations: tuple[WordingText, ...] = Field(default=(), strict=False)
    answer_prefix: Text | None = None
    separator: Text = SEPARATOR
    order: Literal["ask-first", "ask-last"] = "ask-first"
    system: Text | list[Text | None] | None = None
    source: Text = ""
    origins: tuple[_OriginRow, ...] = Field(default=(), strict=False)
    labelled: bool | None = None
    options: tuple[WordingText, ...] = Field(default=(), strict=False)
    option_probabilities: tuple[float, ...] = Field(default=(), strict=False)
    teacher: _TeacherRow | None = None
    task: Text = ""
    example: Text = ""


def _pair(row: _PairRow, where: str) -> ParaphraseSet:
    wordings = 1 + len(row.paraphrases) + len(row.negations)
    systems = (row.system,) * wordings if isinstance(row.system, str) else tuple(row.system or ())
    if systems and len(systems) != wordings:
        raise FileError(
            "the list of system prompts does not fit the wordings",
            expected=f"{wordings} entries, in the order of instruction, paraphrases, negations",
            got=f"{len(systems)}",
            where=f"{where}, system",
        )
    prompts = list(zip((row.instruction, *row.paraphrases, *row.negations), systems or (None,) * wordings, strict=True))
    first_negation = 1 + len(row.paraphrases)
    for prompt in prompts[first_negation:]:
        if prompt in prompts[:first_negation]:
            raise FileError(
                "a negation is equal to the instruction or to a paraphrase",
                got=repr(prompt[0][:60]),
                where=f"{where}, negations",
            )
    if row.labelled and row.target is None:
        raise FileError(
            "a labelled pair has no target",
            where=f"{where}, labelled",
            hint="Give a target, or leave 'labelled' out: a pair without a target is not labelled",
        )
    try:
        return _as_set(row, systems, where)
    except UsageError as error:
        raise FileError(error.problem, expected=error.expected, got=error.got, where=where, hint=error.hint) from None


def _as_set(row: _PairRow, systems: tuple[str | None, ...], where: str) -> ParaphraseSet:
    teacher = row.teacher
    return ParaphraseSet(
        instruction=row.instruction,
        paraphrases=tuple(row.paraphrases),
        input=row.input,
        target=row.target or "",
        negations=tuple(row.negations),
        target_delimiter=row.answer_prefix,
        separator=row.separator,
        ask_last=row.order == "ask-last",
        systems=systems if any(system is not None for system in systems) else (),
        origins=tuple(TextOrigin(each.text, each.name, each.template) for each in row.origins),
        source=row.source or where,
        options=row.options,
        option_probabilities=row.option_probabilities,
        labelled=row.target is not None if row.labelled is None else row.labelled,
        teacher=teacher
        and TeacherRecord(teacher.name, teacher.model, teacher.wordings, teacher.calibration, teacher.run),
        task=row.task,
        example=row.example,
    )


def _as_row(pair: ParaphraseSet) -> dict[str, object]:
    row: dict[str, object] = {
        "instruction": pair.instruction,
        "paraphrases": pair.paraphrases,
        "input": pair.input,
    }
    optional = {
        "target": pair.target or None,
        "labelled": False if pair.target and not pair.labelled else None,
        "negations": pair.negations or None,
        "answer_prefix": pair.target_delimiter,
        "separator": pair.separator if pair.separator != SEPARATOR else None,
        "order": "ask-last" if pair.ask_last else None,
        "system": pair.systems[0] if len(set(pair.systems)) == 1 else list(pair.systems) or None,
        "source": pair.source or None,
        "origins": [each._asdict() for each in pair.origins] or None,
        "options": pair.options or None,
        "option_probabilities": pair.option_probabilities or None,
        "teacher": pair.teacher and {name: value for name, value in pair.teacher._asdict().items() if value},
        "task": pair.task or None,
        "example": pair.example or None,
    }
    return row | {name: value for name, value in optional.items() if value is not None}


# ------------------------------------------------------------------------------------------------------------- reading


def read_json_rows(path: Path) -> DataTable:
    """Read the rows of a JSON Lines file or a JSON list, with their line numbers.

    Raises:
        FileError: no such file, an unknown suffix, an empty file, or invalid JSON.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise FileError(
            "the file's suffix is not one of a pairs file",
            expected=" or ".join(_SUFFIXES),
            got=path.name,
            where=str(path),
        )
    try:
        return read_table(path, where=str(path))
    except RecursionError:
        raise FileError("not valid JSON: nested too deeply", where=str(path)) from None
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}", where=str(path)) from None


def text_of(table: DataTable, row: int, column: str, *, default: str | None = None) -> str:
    """One text of a row of published data, as it is in the file.

    Args:
        table, row: from `read_json_rows`.
        column: the field.
        default: the text of a row without the field, or with null there; without it, such a row is refused.

    Raises:
        FileError: the field is missing, or no text.
    """
    value = table.rows[row].get(column)
    where = f"{table.where(row)}, {column}"
    if value is None:
        if default is not None:
            return default
        raise FileError(f"the row has no {column!r}", got=", ".join(table.rows[row]), where=where)
    if not isinstance(value, str):
        raise FileError(f"{column} is not a string", got=repr(value)[:60], where=where)
    try:
        return whole_text(value)
    except ValueError as error:
        raise FileError(str(error), where=where) from None


RowT = TypeVar("RowT", bound=BaseModel)


def parse_row(table: DataTable, row: int, path: Path, model: type[RowT]) -> RowT:
    """Parse one row as `model`.

    Raises:
        FileError: the first field that does not fit.
    """
    return parse(Document(table.rows[row], {(): table.lines[row]}), path, model)
