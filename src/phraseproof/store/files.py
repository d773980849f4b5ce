"""Files that are either not there or whole, whoever is killed when."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from phraseproof.errors import RunError


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A temporary file beside `path` that takes its place, on disk, once the block has ended well.

    Raises:
        RunError: it cannot be written.
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
    except OSError as error:
        raise RunError(f"cannot write: {error.strerror or error}", where=str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any], *, indent: int | None = 1) -> None:
    """Write JSON whole.

    Raises:
        RunError: it cannot be written.
    """
    text = json.dumps(content, indent=indent, ensure_ascii=False) + "\n"
    with replacing(path) as temporary:
        # A command line's bytes that are not UTF-8 are lone surrogates by now; `\udcff` is how JSON spells one.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
