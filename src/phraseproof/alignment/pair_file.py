"""Pairs as a file: JSON Lines, one pair a line; every complaint names the line and the field (docs/align.md)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from phraseproof.alignment.pair import SEPARATOR, Origin, Pair
from phraseproof.errors import FileError
from phraseproof.files import write_text
from phraseproof.tasks.tables import DataTable, read_table
from phraseproof.typed_yaml import Document, StrictModel, parse

_SUFFIXES = (".jsonl", ".json")


def load_pairs(path: Path) -> list[Pair]:
    """Pairs from a JSON Lines file, or from a JSON list.

    Raises:
        FileError: the file cannot be read, or a line does not say what a pair must; names file, line and field.
    """
    table = read_json_rows(path)
    return [_pair(parse_row(table, row, path, _Row), table.where(row)) for row in range(len(table.rows))]


def save_pairs(pairs: Iterable[Pair], path: Path) -> None:
    """Write pairs as JSON Lines, whole or not at all; `load_pairs` gives equal pairs back.

    Raises:
        FileError: the place cannot be written, or a text cannot be written as UTF-8.
    """
    text = "".join(json.dumps(_as_row(pair), ensure_ascii=False) + "\n" for pair in pairs)
    try:
        write_text(path, text)
    except UnicodeEncodeError as error:
        raise FileError(
            "a text holds half a character (a lone surrogate)", got=ascii(error.object[error.start])
        ) from None


# ----------------------------------------------------------------------------------------------------------- the fields


def whole_text(value: str) -> str:
    """A text that can be written as UTF-8; JSON can spell half a character."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("the text holds half a character (a lone surrogate)")
    return value


def said(value: str) -> str:
    """A text with something in it."""
    if not value.strip():
        raise ValueError("the text is empty")
    return value


def _some(value: list[str]) -> list[str]:
    if not value:
        raise ValueError("the example has no paraphrase")
    return value


Text = Annotated[str, AfterValidator(whole_text)]
Said = Annotated[Text, AfterValidator(said)]
Paraphrases = Annotated[list[Said], AfterValidator(_some)]


class _Origin(StrictModel):
    text: Text
    name: Text
    template: Text


class _Row(StrictModel):
    instruction: Said
    paraphrases: Paraphrases
    input: Text
    target: Said
    negations: tuple[Said, ...] = Field(default=(), strict=False)
    answer_prefix: Text | None = None
    separator: Text = SEPARATOR
    order: Literal["ask-first", "ask-last"] = "ask-first"
    source: Text = ""
    origins: tuple[_Origin, ...] = Field(default=(), strict=False)


def _pair(row: _Row, where: str) -> Pair:
    for negation in row.negations:
        if negation == row.instruction or negation in row.paraphrases:
            raise FileError(
                "a negation says what the instruction or a paraphrase says",
                got=repr(negation[:60]),
                where=f"{where}, negations",
            )
    return Pair(
        instruction=row.instruction,
        paraphrases=tuple(row.paraphrases),
        input=row.input,
        target=row.target,
        negations=tuple(row.negations),
        joint=row.answer_prefix,
        separator=row.separator,
        ask_last=row.order == "ask-last",
        origins=tuple(Origin(each.text, each.name, each.template) for each in row.origins),
        source=row.source or where,
    )


def _as_row(pair: Pair) -> dict[str, Any]:
    row: dict[str, Any] = {
        "instruction": pair.instruction,
        "paraphrases": pair.paraphrases,
        "input": pair.input,
        "target": pair.target,
    }
    optional = {
        "negations": pair.negations or None,
        "answer_prefix": pair.joint,
        "separator": pair.separator if pair.separator != SEPARATOR else None,
        "order": "ask-last" if pair.ask_last else None,
        "source": pair.source or None,
        "origins": [origin._asdict() for origin in pair.origins] or None,
    }
    return row | {name: value for name, value in optional.items() if value is not None}


# ------------------------------------------------------------------------------------------------------------- reading


def read_json_rows(path: Path) -> DataTable:
    """The rows of a JSON Lines file or a JSON list, with their lines.

    Raises:
        FileError: no such file, another kind of file, or one that is empty or not valid JSON.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise FileError(
            "not a file of pairs by its name", expected=" or ".join(_SUFFIXES), got=path.name, where=str(path)
        )
    try:
        return read_table(path, where=str(path))
    except RecursionError:
        raise FileError("not valid JSON: nested too deeply", where=str(path)) from None
    except OSError as error:
        raise FileError(f"cannot be read: {error.strerror or error}", where=str(path)) from None


RowT = TypeVar("RowT", bound=BaseModel)


def parse_row(table: DataTable, row: int, path: Path, model: type[RowT]) -> RowT:
    """One row as `model`, or a `FileError` for the first thing in it that does not fit."""
    return parse(Document(table.rows[row], {(): table.lines[row]}), path, model)
