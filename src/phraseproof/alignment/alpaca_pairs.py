"""Pairs from data in the form of Stanford Alpaca's, and paraphrases of its instructions from a second file.

The data is a JSON list (or JSON Lines) of `instruction`, `input` (may be empty or absent) and `output`; other fields
are passed over. The paraphrases are JSON Lines (or a JSON list) of `instruction`, `paraphrases` and, if wanted,
`negations`.
The paper drew 1,000 of Alpaca's 52,002 tasks and had each instruction paraphrased three times (section 5, B.3).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from phraseproof.alignment.pair import Pair
from phraseproof.alignment.pair_file import Paraphrases, Said, parse_row, read_json_rows, whole_text
from phraseproof.errors import FileError
from phraseproof.tasks.tables import DataTable
from phraseproof.typed_yaml import StrictModel


class _Rewritten(StrictModel):
    instruction: Said
    paraphrases: Paraphrases
    negations: tuple[Said, ...] = Field(default=(), strict=False)


class _Wordings(NamedTuple):
    """What the paraphrase file says of one instruction."""

    where: str
    paraphrases: dict[str, None]
    negations: dict[str, None]


def pairs_from_alpaca(path: Path, paraphrases: Path) -> list[Pair]:
    """Every example of `path` whose instruction `paraphrases` rewrites, in the order of `path`.

    Instructions are matched by their text, without the white space around it. An instruction on several lines of the
    paraphrase file has the paraphrases of all of them. Examples without an output, of which Stanford's file has some,
    teach nothing and are left out.

    Raises:
        FileError: a file or a row of one that cannot be used; a rewritten instruction that the data does not have; no
            example left.
    """
    rewritten = _rewritten(paraphrases)
    data = read_json_rows(path)
    pairs: list[Pair] = []
    met: set[str] = set()
    for row in range(len(data.rows)):
        instruction = _text(data, row, "instruction").strip()
        wordings = rewritten.get(instruction)
        if wordings is None:
            continue
        met.add(instruction)
        target = _text(data, row, "output").strip()
        if not target:
            continue
        pairs.append(
            Pair(
                instruction=instruction,
                paraphrases=tuple(wordings.paraphrases),
                input=_text(data, row, "input", default=""),
                target=target,
                negations=tuple(wordings.negations),
                source=data.where(row),
            )
        )
    for instruction, wordings in rewritten.items():
        if instruction not in met:
            raise FileError(
                f"the instruction {instruction[:60]!r} is not in {path}",
                where=f"{wordings.where}, instruction",
                hint="Paraphrases are matched by the instruction's exact text",
            )
    if not pairs:
        raise FileError("no example with a paraphrased instruction has an output", where=str(path))
    return pairs


def _rewritten(path: Path) -> dict[str, _Wordings]:
    table = read_json_rows(path)
    found: dict[str, _Wordings] = {}
    for row in range(len(table.rows)):
        read = parse_row(table, row, path, _Rewritten)
        where = table.where(row)
        instruction = read.instruction.strip()
        wordings = found.setdefault(instruction, _Wordings(where, {}, {}))
        wordings.paraphrases.update(dict.fromkeys(text.strip() for text in read.paraphrases))
        wordings.negations.update(dict.fromkeys(text.strip() for text in read.negations))
        for negation in wordings.negations:
            if negation == instruction or negation in wordings.paraphrases:
                raise FileError(
                    "a negation says what the instruction or a paraphrase says",
                    got=repr(negation[:60]),
                    where=f"{where}, negations",
                )
    return found


def _text(table: DataTable, row: int, column: str, *, default: str | None = None) -> str:
    value: Any = table.rows[row].get(column, default)
    where = f"{table.where(row)}, {column}"
    if value is None:
        known = ", ".join(table.rows[row])
        raise FileError(f"the row has no {column!r}", got=known, where=where)
    if not isinstance(value, str):
        raise FileError(f"{column} is not a text", got=repr(value)[:60], where=where)
    try:
        return whole_text(value)
    except ValueError as error:
        raise FileError(str(error), where=where) from None
