"""The file format of paraphrase sets: JSON Lines, one set per line (docs/align.md). Errors name line and field."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, Field

from phraseproof.alignment.pairs.paraphrase_set import SEPARATOR, ParaphraseSet, TextOrigin
from phraseproof.errors import FileError
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
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("the text holds a lone surrogate, which is no valid character")
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


class _PairRow(StrictModel):
    instruction: WordingText
    paraphrases: Paraphrases
    input: Text
    target: WordingText
    negations: tuple[WordingText, ...] = Field(default=(), strict=False)
    answer_prefix: Text | None = None
    separator: Text = SEPARATOR
    order: Literal["ask-first", "ask-last"] = "ask-first"
    system: Text | list[Text | None] | None = None
    source: Text = ""
    origins: tuple[_OriginRow, ...] = Field(default=(), strict=False)


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
    return ParaphraseSet(
        instruction=row.instruction,
        paraphrases=tuple(row.paraphrases),
        input=row.input,
        target=row.target,
        negations=tuple(row.negations),
        target_delimiter=row.answer_prefix,
        separator=row.separator,
        ask_last=row.order == "ask-last",
        systems=systems if any(system is not None for system in systems) else (),
        origins=tuple(TextOrigin(each.text, each.name, each.template) for each in row.origins),
        source=row.source or where,
    )


def _as_row(pair: ParaphraseSet) -> dict[str, object]:
    row: dict[str, object] = {
        "instruction": pair.instruction,
        "paraphrases": pair.paraphrases,
        "input": pair.input,
        "target": pair.target,
    }
    optional = {
        "negations": pair.negations or None,
        "answer_prefix": pair.target_delimiter,
        "separator": pair.separator if pair.separator != SEPARATOR else None,
        "order": "ask-last" if pair.ask_last else None,
        "system": pair.systems[0] if len(set(pair.systems)) == 1 else list(pair.systems) or None,
        "source": pair.source or None,
        "origins": [origin._asdict() for origin in pair.origins] or None,
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


RowT = TypeVar("RowT", bound=BaseModel)


def parse_row(table: DataTable, row: int, path: Path, model: type[RowT]) -> RowT:
    """Parse one row as `model`.

    Raises:
        FileError: the first field that does not fit.
    """
    return parse(Document(table.rows[row], {(): table.lines[row]}), path, model)
