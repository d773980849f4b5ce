"""Files that are either not there or whole, whoever is killed when."""

from __future__ import annotations

import codecs
import json
import os
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from phraseproof.errors import FileError, PhraseproofError


@contextmanager
def replacing(path: Path, *, error: type[PhraseproofError] = FileError) -> Generator[Path]:
    """A temporary file beside `path` that takes its place, on disk, once the block has ended well.

    Args:
        path: the file; folders that it needs are made.
        error: what is raised if it cannot be written.
    """
    temporary = path.with_name(f".{path.name.split('-')[0]}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
    except OSError as reason:
        raise error(f"cannot be written: {reason.strerror or reason}", where=str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, error: type[PhraseproofError] = FileError) -> None:
    """Write a text whole, in UTF-8 with plain line ends; see `replacing`."""
    with replacing(path, error=error) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(
    path: Path, content: Mapping[str, Any], *, indent: int | None = 1, error: type[PhraseproofError] = FileError
) -> None:
    """Write JSON whole; see `replacing`."""
    text = json.dumps(content, indent=indent, ensure_ascii=False) + "\n"
    with replacing(path, error=error) as temporary:
        # A command line's bytes that are not UTF-8 are lone surrogates by now; `\udcff` is how JSON spells one.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, or what a byte-order mark at its beginning says (UTF-16, UTF-32).

    Raises:
        UnicodeDecodeError: the file is not text in that encoding.
    """
    marks = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16"}
    marks[codecs.BOM_UTF16_BE] = "utf-16"  # after UTF-32's, of which UTF-16's is a beginning
    encoding = next((encoding for mark, encoding in marks.items() if data.startswith(mark)), "utf-8-sig")
    return data.decode(encoding)
