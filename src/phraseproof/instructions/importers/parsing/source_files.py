"""Find and read the files of a source. Files that cannot be read are listed like refused wordings."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar, cast

from phraseproof.errors import FileError
from phraseproof.files import load_json
from phraseproof.instructions.importers.parsing.parse_result import ParseResult, Refused
from phraseproof.yaml_document import read_text

Read = TypeVar("Read")

MAX_JSON_BYTES = 200 * 1024 * 1024
"""Larger than for the files people write: Stanford Alpaca's is 22 MB."""
UNREADABLE = "the file cannot be read"


def files_of(path: Path, patterns: Sequence[str], *, what: str) -> list[Path]:
    """The file `path`, or all files under the folder `path` whose names match a pattern, sorted.

    Raises:
        FileError: there is nothing at `path`, or no such file in it.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FileError("no such file or folder", where=str(path))
    found = sorted({file for pattern in patterns for file in path.rglob(pattern) if file.is_file()})
    if not found:
        raise FileError(f"no {what} in this folder", expected=" or ".join(patterns), where=str(path))
    return found


def each_read(
    path: Path, files: Sequence[Path], read: Callable[[Path], Read], found: ParseResult
) -> Iterator[tuple[Path, Read]]:
    """Read every file. An unreadable file of a folder is listed as refused; a file that was named raises."""
    for file in files:
        try:
            content = read(file)
        except FileError as error:
            # The user named this very file, so its problem is the command's.
            if file == path:
                raise
            reason = error.problem + (f" (expected {error.expected})" if error.expected else "")
            found.refused.append(Refused(file.name, error.where or str(file), UNREADABLE, reason))
            continue
        found.files_read += 1
        yield file, content


def read_json(path: Path) -> object:
    """Read a JSON file."""
    return load_json(path, max_bytes=MAX_JSON_BYTES)


def read_python(path: Path) -> ast.Module:
    """Parse a Python file to its syntax tree, without running it."""
    text = read_text(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in other people's texts
            return ast.parse(text)
    except SyntaxError as error:
        raise FileError(f"not valid Python: {error.msg}", where=f"{path}:{error.lineno or 1}") from None
    except (RecursionError, MemoryError, ValueError):
        raise FileError("not valid Python: nested too deeply, or not text", where=str(path)) from None


def mapping_in(value: object, what: str, where: str) -> dict[str, object]:
    """Check that `value` is a mapping."""
    if not isinstance(value, dict):
        raise FileError(f"{what} is not a mapping", got=repr(value)[:60], where=where)
    return cast(dict[str, object], value)
