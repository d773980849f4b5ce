"""Writing what a report is, whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from phraseproof.errors import RunError


def write_text(path: Path, text: str) -> None:
    """Write a text whole, or not at all.

    Raises:
        RunError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise RunError(f"cannot write: {error.strerror or error}", where=str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
