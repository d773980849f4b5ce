"""Import Stanford Alpaca's data: a JSON list of instruction, input and output.

An instruction with an input is a wording. One without an input applies to one example only, so it is refused.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

from phraseproof.core import Instruction, Relation
from phraseproof.errors import FileError
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.parse_result import ParseResult, UnrepresentableError, unreadable
from phraseproof.instructions.importers.parsing.source_files import each_read, files_of, read_json
from phraseproof.instructions.template import literal

COLLECTION = "alpaca"
LICENCE = "CC BY-NC 4.0 (Stanford Alpaca)"

_FIELD = "input"
_PER_FILE = 1_000
_NO_INPUT = ("", "<noinput>", "<no input>", "no input", "none", "n/a")


def find(path: Path, request: ImportRequest) -> ParseResult:
    """Read the instructions of a JSON file, or of a checkout's `alpaca_data*.json`."""
    result = ParseResult()
    files = files_of(path, ["alpaca_data*.json"], what="Alpaca data")
    number = 0
    seen: set[str] = set()
    for file, rows in each_read(path, files, _rows, result):
        for index, row in enumerate(rows):
            instruction = row["instruction"].strip()
            # The data have no ids: a hash of the instruction is the same in every edition of the file.
            identifier = hashlib.blake2b(instruction.encode(), digest_size=6).hexdigest()
            if not request.wants(identifier):
                continue
            try:
                if row.get("input", "").strip().casefold() in _NO_INPUT:
                    unreadable("it has no input: it applies to only one example", instruction[:60])
                if identifier in seen:
                    continue  # the same instruction with another input is the same wording
                seen.add(identifier)
                wording = _wording(instruction, identifier, request)
                wording = request.finished(wording, source=f"Stanford Alpaca, {file.name}, row {index + 1}")
            except UnrepresentableError as error:
                result.refuse(f"row {index + 1}", str(file), error)
                continue
            result.add(f"alpaca-{number // _PER_FILE + 1:03}", wording)
            number += 1
    return result


def _rows(file: Path) -> list[dict[str, str]]:
    value = read_json(file)
    if not isinstance(value, list):
        raise FileError("not Alpaca data", expected="a list of {instruction, input, output}", where=str(file))
    for index, row in enumerate(cast(list[object], value)):
        fields = cast(dict[str, object], row) if isinstance(row, dict) else {}
        if not isinstance(fields.get("instruction"), str) or not isinstance(fields.get("input", ""), str):
            raise FileError(
                "not Alpaca data", expected="instruction and input as texts", where=f"{file}, row {index + 1}"
            )
    return cast(list[dict[str, str]], value)


def _wording(instruction: str, identifier: str, request: ImportRequest) -> Instruction:
    if not instruction:
        unreadable("its instruction is empty")
    return Instruction(
        id=identifier,
        collection=COLLECTION,
        ask=literal(instruction),
        layout=f"{{{{ {request.fields.get(_FIELD, _FIELD)} }}}}",
        answer="{{ choice }}",
        relation=Relation.OBSERVED,
        licence=LICENCE,
    )
