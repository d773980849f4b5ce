"""Import lists of wordings: a CSV or TSV table, a JSON list, or a text file with one wording per line.

A text with `{{ ... }}` is a template; `{field}` placeholders are converted to one. `{choices}` (or `{options}`) is the
option list.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from phraseproof.core import Instruction, Relation
from phraseproof.errors import FileError
from phraseproof.instructions.collection_file import LIST_ENDINGS
from phraseproof.instructions.importers.parsing import jinja_segments as jinja
from phraseproof.instructions.importers.parsing import placeholders
from phraseproof.instructions.importers.parsing.ask_and_layout import AskAndLayout, split_ask
from phraseproof.instructions.importers.parsing.field_names import renamed_fields
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.parse_result import (
    ParseResult,
    UnrepresentableError,
    one_line,
    unreadable,
)
from phraseproof.instructions.importers.parsing.source_files import each_read, files_of, read_json
from phraseproof.yaml_document import read_text

_TEXT_COLUMNS = ("template", "ask", "instruction", "prompt", "wording", "text")
_COLUMNS = (*_TEXT_COLUMNS, "id", "layout", "answer", "for", "relation", "author", "source", "licence", "license")
_OPTIONS: dict[str, str] = dict.fromkeys(("choices", "options"), "{{ choices | enumerate }}")
_ANSWERS = {"letter": "{{ letter }}", "text": "{{ choice }}", "": "{{ choice }}"}


def find(path: Path, request: ImportRequest) -> ParseResult:
    """Read the wordings of a list. The collection has the file's name, unless the request gives one."""
    result = ParseResult()
    files = files_of(path, [f"*{ending}" for ending in LIST_ENDINGS], what="list of wordings")
    taken: set[str] = set()
    for file, rows in each_read(path, files, _rows, result):
        for place, row in rows:
            name = one_line(row.get("id") or "") or f"{file.stem}-{place}"
            where = f"{file}:{place}"
            if name in taken:
                raise FileError(f"the id {name!r} is given twice", where=f"{where}, id")
            taken.add(name)
            if not request.wants(name):
                continue
            try:
                wording = request.finished(_wording(row, name, file, request, where))
            except UnrepresentableError as error:
                result.refuse(name, where, error)
                continue
            result.add(file.stem, wording)
    return result


Row = Mapping[str, str]


def _rows(file: Path) -> list[tuple[int, Row]]:
    """The rows of a file, each with its line or position."""
    if file.suffix == ".txt":
        return [
            (number, {"text": line.strip()})
            for number, line in enumerate(read_text(file).splitlines(), start=1)
            if line.strip()
        ]
    if file.suffix == ".json":
        return _json_rows(file)
    reader = csv.DictReader(
        io.StringIO(read_text(file), newline=""), delimiter="\t" if file.suffix == ".tsv" else ",", strict=True
    )
    rows: list[tuple[int, Row]] = []
    try:
        _check_columns(reader.fieldnames or [], file)
        for row in reader:
            if None in row or None in row.values():
                raise FileError(
                    "a row has a different number of cells than the header", where=f"{file}:{reader.line_num}"
                )
            rows.append((reader.line_num, {key.strip(): value for key, value in row.items()}))
    except csv.Error as error:
        raise FileError(f"not a valid table: {error}", where=f"{file}:{reader.line_num}") from None
    return rows


def _json_rows(file: Path) -> list[tuple[int, Row]]:
    value = read_json(file)
    rows: list[tuple[int, Row]] = []
    for number, item in enumerate(cast(list[object], value) if isinstance(value, list) else [], start=1):
        row: object = {"text": item} if isinstance(item, str) else item
        if not isinstance(row, dict) or not all(
            isinstance(each, str) for each in cast(dict[str, object], row).values()
        ):
            raise FileError("not a wording", expected="a text, or an object of texts", where=f"{file}, item {number}")
        _check_columns(list(cast(dict[str, str], row)), file)
        rows.append((number, cast(dict[str, str], row)))
    if not rows:
        raise FileError("not a list of wordings", expected="a JSON list of texts or objects", where=str(file))
    return rows


def _check_columns(columns: Iterable[object], file: Path) -> None:
    names = [str(name).strip() for name in columns]
    if not set(names) & set(_TEXT_COLUMNS):
        raise FileError(
            "no column holds wordings",
            expected=f"one of {', '.join(_TEXT_COLUMNS)}",
            got=", ".join(names),
            where=str(file),
        )
    if unknown := [name for name in names if name not in _COLUMNS]:
        raise FileError(f"unknown column {unknown[0]!r}", expected=f"among {', '.join(_COLUMNS)}", where=str(file))


def _wording(row: Row, name: str, file: Path, request: ImportRequest, where: str) -> Instruction:
    text = next((row[column] for column in _TEXT_COLUMNS if row.get(column)), "")
    if not text.strip():
        unreadable("it is empty")
    layout = row.get("layout") or request.layout
    template = as_template(text, request)
    if "{" not in template and layout:
        parts = AskAndLayout(ask=template, layout=as_template(layout, request))
    elif "{{" not in template:
        unreadable("it shows nothing of the example (add a column layout, or --layout)", text[:60])
    elif row.get("layout"):
        parts = AskAndLayout(ask=template, layout=as_template(row["layout"], request))
    else:
        parts = split_ask(template)
    return Instruction(
        id=name,
        collection=file.stem,
        answer=_answer(row.get("answer", "")),
        serves=tuple(each.strip() for each in row.get("for", "").split(",") if each.strip()),
        relation=_relation(row.get("relation", ""), where),
        author=row.get("author") or None,
        source=row.get("source") or f"{file.name}, {name}",
        licence=row.get("licence") or row.get("license") or None,
        **parts._asdict(),
    )


def as_template(text: str, request: ImportRequest) -> str:
    """Convert a text with placeholders of either kind to a template.

    Raises:
        UnrepresentableError: its braces are not placeholders.
    """
    if "{{" in text or "{%" in text:
        segments = jinja.read(text)
        jinja.rewrite(segments, lambda tokens: renamed_fields(tokens, request.fields))
        return jinja.write(segments)
    return placeholders.to_template(text, _OPTIONS, request.fields)


def _answer(value: str) -> str:
    if value in _ANSWERS:
        return _ANSWERS[value]
    if "{{" not in value:
        unreadable("its answer is neither letter, nor text, nor a template", value)
    return value


def _relation(value: str, where: str) -> Relation | None:
    if not value:
        return None
    try:
        return Relation(value)
    except ValueError:
        raise FileError(
            f"unknown relation {value!r}", expected=f"one of {', '.join(Relation)}", where=f"{where}, relation"
        ) from None
