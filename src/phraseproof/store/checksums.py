"""Checksums of complete cells' files, which `run.json` keeps."""

from __future__ import annotations

import zlib
from pathlib import Path

from phraseproof.errors import RunError
from phraseproof.files import require_regular

CHECKSUMS = "checksums"
"""The section of `run.json` with the CRC-32 of every complete cell's file, by its path in the folder."""

_BLOCK_BYTES = 1 << 20


def damaged(path: Path, reason: str) -> RunError:
    """The error of a damaged cell file."""
    return RunError(
        f"a cell file is damaged: {reason.rstrip('.')}",
        where=str(path),
        hint="phraseproof evaluate with the same --out computes that cell again",
    )


def reason_of(error: BaseException) -> str:
    """The first line of an error of another library, or its kind if it has no text."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def checksum_of(path: Path) -> int:
    """The CRC-32 of a file.

    Raises:
        RunError: it cannot be read, or is not a regular file.
    """
    found = 0
    try:
        require_regular(path)
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK_BYTES):
                found = zlib.crc32(block, found)
    except OSError as error:
        raise damaged(path, error.strerror or str(error)) from None
    return found


def require_checksum(path: Path, checksum: int) -> None:
    """Raise a `RunError` unless a cell file has this CRC-32."""
    if checksum_of(path) != checksum:
        raise damaged(path, "its checksum is not the one in run.json")
