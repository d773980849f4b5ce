"""Import PromptSuite's templates (`instruction`, `prompt format`) and the variations that its exports list.

An export holds rendered prompts, each with the varied instruction and the varied format that it was rendered from. Such
a pair is a wording, however many examples were rendered from it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from phraseproof.core import Instruction
from phraseproof.errors import FileError
from phraseproof.instructions.importers.parsing import placeholders
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.parse_result import ParseResult, UnrepresentableError, unreadable
from phraseproof.instructions.importers.parsing.source_files import each_read, files_of, read_json
from phraseproof.yaml_document import read_text

COLLECTION = "promptsuite"

_INSTRUCTION = ("instruction variations", "instruction_variations", "instruction")
_FORMAT = ("prompt format variations", "prompt_format_variations", "prompt format", "prompt_format")
_OPTIONS: dict[str, str] = dict.fromkeys(("choices", "options"), '{{ choices | join(", ") }}')
_CSV_PREFIX = "field_"


def find(path: Path, request: ImportRequest) -> ParseResult:
    """Read the wordings of an export (JSON or CSV), of a template, or of a list of templates."""
    result = ParseResult()
    files = files_of(path, ["*.json", "*.csv"], what="PromptSuite file")
    for file, entries in each_read(path, files, _entries, result):
        seen: set[tuple[str, str]] = set()
        for entry in entries:
            texts = _texts(entry, _INSTRUCTION), _texts(entry, _FORMAT)
            if texts in seen:
                continue
            seen.add(texts)
            name = f"{file.stem}/{len(seen)}"
            if not request.wants(name):
                continue
            try:
                wording = request.finished(_wording(*texts, _gold(entry), name, request))
            except UnrepresentableError as error:
                result.refuse(name, str(file), error)
                continue
            result.add(file.stem, wording)
    return result


def _entries(file: Path) -> list[Mapping[str, object]]:
    """Templates, or the template of each prompt of an export, as mappings with the same keys."""
    if file.suffix == ".csv":
        rows = csv.DictReader(io.StringIO(read_text(file), newline=""))
        entries: list[Mapping[str, object]] = [
            {str(key).removeprefix(_CSV_PREFIX): value for key, value in row.items()} for row in rows
        ]
    else:
        value = read_json(file)
        listed = cast(list[object], value) if isinstance(value, list) else [value]
        if not all(isinstance(each, dict) for each in listed):
            raise FileError("not a PromptSuite file", expected="an object, or a list of objects", where=str(file))
        entries = [_flat(cast(dict[str, object], each)) for each in listed]
    if not entries or not any(name in entry for entry in entries for name in (*_INSTRUCTION, *_FORMAT)):
        raise FileError("not a PromptSuite file", expected="`instruction` or `prompt format`", where=str(file))
    return entries


def _flat(entry: dict[str, object]) -> Mapping[str, object]:
    configuration = entry.get("configuration")
    if not isinstance(configuration, dict):
        return entry
    parts = cast(dict[str, object], configuration)
    template, values = parts.get("template_config"), parts.get("field_values")
    flat: dict[str, object] = {}
    for part in (template, values):
        if isinstance(part, dict):
            flat |= cast(dict[str, object], part)
    return flat


def _texts(entry: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The first of several fields that holds a text; the varied text comes before its original."""
    texts = (entry.get(name) for name in names)
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")


def _gold(entry: Mapping[str, object]) -> str | None:
    gold: object = entry.get("gold")
    if isinstance(gold, dict):
        gold = cast(dict[str, object], gold).get("field")
    return gold if isinstance(gold, str) else None


def _wording(instruction: str, form: str, gold: str | None, name: str, request: ImportRequest) -> Instruction:
    if not form:
        unreadable("it has no prompt format")
    held = placeholders.names(form)
    # Without `gold`, a placeholder at the very end is read as the answer's.
    if gold is None and held and form.rstrip().endswith(f"{{{held[-1]}}}"):
        gold = held[-1]
    if gold is not None:
        before, result, after = form.partition(f"{{{gold}}}")
        if result and after.strip():
            unreadable("its answer comes before the end of the prompt", form)
        form = before if result else form
    layout = placeholders.to_template(form.strip(), _OPTIONS, request.fields)
    if "{{" not in layout:
        unreadable("it shows nothing of the example", form)
    ask = placeholders.to_template(instruction.strip(), _OPTIONS, request.fields)
    return Instruction(
        id=name,
        collection=COLLECTION,
        ask=ask or None,
        layout=layout if ask else None,
        template=None if ask else layout,
        answer="{{ choice }}",
        source=f"PromptSuite, {name}",
    )
