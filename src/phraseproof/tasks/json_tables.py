"""JSON and JSON Lines files as rows, with the line of every row.

Both readers recognise the other format under their extension. What Python's parser lets through and JSON does not allow
(`NaN`, a key given twice) is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, cast

from phraseproof.errors import FileError
from phraseproof.files import unreadable
from phraseproof.tasks.data_table import DataTable, table_of, text_of


def read_json(path: Path) -> DataTable:
    """The rows of a list of objects."""
    text = text_of(path)
    decoder = _decoder()
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    position, line = _skip_blank(text, 0, 1)
    if text[position] == "{" and _is_json_lines(text):
        return read_json_lines(path)
    if text[position] != "[":
        raise FileError("not a list of rows", expected="[{...}, {...}]", where=f"{path}:{line}")
    position, line = _skip_blank(text, position + 1, line)
    while text[position : position + 1] != "]":
        value, end = _decode(decoder, text, position, path)
        rows.append(_row(value, f"{path}:{line}"))
        lines.append(line)
        position, line = _skip_blank(text, end, line + text.count("\n", position, end))
        if text[position : position + 1] == ",":
            position, line = _skip_blank(text, position + 1, line)
            if text[position : position + 1] != "]":
                continue
        elif text[position : position + 1] == "]":
            break
        raise FileError("not valid JSON: expected ',' and a row, or ']'", where=f"{path}:{line}")
    rest, line = _skip_blank(text, position + 1, line)
    if rest != len(text):
        raise FileError("not valid JSON: text after the list", where=f"{path}:{line}")
    return table_of(rows, str(path), tuple(lines))


def read_json_lines(path: Path) -> DataTable:
    """The rows of a file with one object per line."""
    text = text_of(path)
    if text.lstrip().startswith("["):
        return read_json(path)
    decoder = _decoder()
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    # Only a line feed ends a row: other line separators may be inside JSON strings.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = decoder.decode(line)
        except json.JSONDecodeError as error:
            raise FileError(f"not valid JSON: {error.msg}", where=f"{path}:{number}") from None
        except (ValueError, RecursionError) as error:
            raise FileError(f"not valid JSON: {_reason(error)}", where=f"{path}:{number}") from None
        rows.append(_row(value, f"{path}:{number}"))
        lines.append(number)
    return table_of(rows, str(path), tuple(lines))


def stream_json(path: Path, *, chunk: int = 1 << 24) -> Iterator[dict[str, object]]:
    """The rows of a list of objects one by one, from a file that is too large for memory.

    Args:
        path: the file.
        chunk: how many characters are read at once; a row is at most this long.

    Raises:
        FileError: the file cannot be read, or is not a list of such rows.
    """
    decoder = _decoder()
    number = 0
    try:
        with path.open(encoding="utf-8-sig") as stream:
            text = stream.read(chunk)
            position, _ = _skip_blank(text, 0, 1)
            if text[position : position + 1] != "[":
                raise FileError("not a list of rows", expected="[{...}, {...}]", where=str(path))
            position += 1
            while True:
                position, _ = _skip_blank(text, position, 1)
                if number and text[position : position + 1] == ",":
                    position, _ = _skip_blank(text, position + 1, 1)
                if text[position : position + 1] == "]":
                    return
                try:
                    value, position = decoder.raw_decode(text, position)
                except json.JSONDecodeError as error:
                    more = stream.read(chunk) if len(text) - position <= chunk else ""
                    if not more:
                        raise FileError(f"not valid JSON: {error.msg}", where=f"{path}, row {number}") from None
                    text, position = text[position:] + more, 0
                    continue
                yield _row(value, f"{path}, row {number}")
                number += 1
    except UnicodeDecodeError:
        raise FileError("not UTF-8 text", where=str(path)) from None
    except OSError as error:
        raise unreadable(path, error) from None


def _is_json_lines(text: str) -> bool:
    """Whether a text is several objects, each on a separate line."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return len(lines) > 1 and all(line.startswith("{") and line.endswith("}") for line in lines)


class _JsonError(ValueError):
    """What Python's parser lets through, and we do not."""


def _decoder() -> json.JSONDecoder:
    def refuse(constant: str) -> NoReturn:
        raise _JsonError(f"{constant} is not JSON")

    def to_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) < len(pairs):
            raise _JsonError("a key is given twice")
        return result

    return json.JSONDecoder(parse_constant=refuse, object_pairs_hook=to_object)


def _decode(decoder: json.JSONDecoder, text: str, position: int, path: Path) -> tuple[object, int]:
    try:
        return decoder.raw_decode(text, position)
    except json.JSONDecodeError as error:
        raise FileError(f"not valid JSON: {error.msg}", where=f"{path}:{error.lineno}") from None
    except (ValueError, RecursionError) as error:
        line = text.count("\n", 0, position) + 1
        raise FileError(f"not valid JSON: {_reason(error)}", where=f"{path}:{line}") from None


def _reason(error: Exception) -> str:
    """What is wrong with JSON that Python's parser lets through, or gives up on."""
    if isinstance(error, _JsonError):
        return str(error)
    return "nested too deeply" if isinstance(error, RecursionError) else "a number has too many digits"


def _skip_blank(text: str, position: int, line: int) -> tuple[int, int]:
    while position < len(text) and text[position] in " \t\r\n":
        line += text[position] == "\n"
        position += 1
    return position, line


def _row(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise FileError("a row is not an object", expected="{column: value, ...}", got=repr(value)[:60], where=where)
    return cast(dict[str, object], value)
