"""Paraphrase sets from Alpaca-format data and a second file with paraphrases of its instructions.

The data is a JSON list (or JSON Lines) of `instruction`, `input` (optional) and `output`; other fields are ignored. The
second file is JSON Lines (or a JSON list) of `instruction`, `paraphrases` and, optionally, `negations`.

Source: the paper draws 1,000 of Alpaca's 52,002 tasks and paraphrases each instruction three times (section 5, B.3).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from phraseproof.alignment.pairs.pair_file import Paraphrases, WordingText, parse_row, read_json_rows, text_of
from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
from phraseproof.errors import FileError
from phraseproof.typed_yaml import StrictModel


class _RewrittenRow(StrictModel):
    instruction: WordingText
    paraphrases: Paraphrases
    negations: tuple[WordingText, ...] = Field(default=(), strict=False)


class _Rewritings(NamedTuple):
    """The paraphrases and negations of one instruction, without duplicates (dicts keep the order of the file)."""

    where: str
    paraphrases: dict[str, None]
    negations: dict[str, None]


def pairs_from_alpaca(path: Path, paraphrases: Path) -> list[ParaphraseSet]:
    """Join every example of `path` with the paraphrases of its instruction, in the order of `path`.

    Instructions are matched by their text, without surrounding white space. If an instruction occurs on several lines
    of the paraphrase file, all their paraphrases are used. Examples without an output, which Stanford's file contains,
    are skipped.

    Raises:
        FileError: a file or row that cannot be used, a paraphrased instruction that the data does not contain, or no
            example left.
    """
    rewritten = _rewritten(paraphrases)
    data = read_json_rows(path)
    pairs: list[ParaphraseSet] = []
    met: set[str] = set()
    for row in range(len(data.rows)):
        instruction = text_of(data, row, "instruction").strip()
        wordings = rewritten.get(instruction)
        if wordings is None:
            continue
        met.add(instruction)
        target = text_of(data, row, "output").strip()
        if not target:
            continue
        pairs.append(
            ParaphraseSet(
                instruction=instruction,
                paraphrases=tuple(wordings.paraphrases),
                input=text_of(data, row, "input", default=""),
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
                hint="Paraphrases are matched by the exact text of the instruction",
            )
    if not pairs:
        raise FileError("no example with a paraphrased instruction has an output", where=str(path))
    return pairs


def _rewritten(path: Path) -> dict[str, _Rewritings]:
    table = read_json_rows(path)
    found: dict[str, _Rewritings] = {}
    for row in range(len(table.rows)):
        read = parse_row(table, row, path, _RewrittenRow)
        where = table.where(row)
        instruction = read.instruction.strip()
        wordings = found.setdefault(instruction, _Rewritings(where, {}, {}))
        wordings.paraphrases.update(dict.fromkeys(text.strip() for text in read.paraphrases))
        wordings.negations.update(dict.fromkeys(text.strip() for text in read.negations))
        for negation in wordings.negations:
            if negation == instruction or negation in wordings.paraphrases:
                raise FileError(
                    "a negation is equal to the instruction or to a paraphrase",
                    got=repr(negation[:60]),
                    where=f"{where}, negations",
                )
    return found
