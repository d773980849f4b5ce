"""Commands must not overwrite the files they read."""

from __future__ import annotations

from pathlib import Path

from phraseproof.errors import UsageError


def refuse_to_overwrite(out: Path, *read: Path | None) -> None:
    """Refuse an `out` that is one of the files that are read, or is in a folder that is read.

    Args:
        out: the file that would be written.
        read: files and folders that the command reads; None, and paths that do not exist, are ignored.

    Raises:
        UsageError: writing `out` would destroy a file that a person may have written by hand.
    """
    for path in read:
        if path is None or not (out.exists() and path.exists()):
            continue
        if out.samefile(path) or (path.is_dir() and path.resolve() in out.resolve().parents):
            raise UsageError(
                "the file is an input of the command and would be overwritten",
                where=f"--out {out}",
                hint="Give another --out",
            )
