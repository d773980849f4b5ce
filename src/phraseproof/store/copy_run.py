"""Copies runs between folders and object storage. A copy is complete, or there is none."""

from __future__ import annotations

import filecmp
import secrets
import shutil
from pathlib import Path

from phraseproof.errors import RunError
from phraseproof.files import publish
from phraseproof.store.local_copy import folder_to_read
from phraseproof.store.locks import Say
from phraseproof.store.remote.uploads import listed_files
from phraseproof.store.remote.working_copy import working_copy
from phraseproof.store.run_file import read_run_file
from phraseproof.store.urls import url_of


def copy_run(source: Path, target: Path, say: Say) -> int:
    """Copy a run.

    Args:
        source: a run folder or URL.
        target: a folder or URL with nothing in it.
        say: receives warnings.

    Returns:
        The number of files.

    Raises:
        RunError: the source is no run, the target holds something, or one of them cannot be used.
    """
    folder = folder_to_read(source)
    read_run_file(folder)
    url = url_of(target)
    if url is not None:
        with working_copy(url, say) as copy:
            # What a copy that was stopped has left is part of the source.
            if "run.json" in copy.uploads.manifest.files or not _is_part(copy.folder, folder):
                raise RunError("a run is stored there", where=url, hint="Give another URL")
            return _copy_files(folder, copy.folder)
    if target.name in {"", ".."} or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise RunError("there is something already", where=str(target), hint="Give a folder that does not exist")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.mkdir(parents=True)
        count = _copy_files(folder, temporary)
        publish(temporary, target)
    except OSError as error:
        raise RunError(f"cannot be written: {error.strerror or error}", where=str(target)) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def _is_part(folder: Path, source: Path) -> bool:
    """Whether the source has all files of a folder, with the same content."""
    pairs = [(folder / path, source / path) for path in listed_files(folder)]
    return all(theirs.is_file() and filecmp.cmp(ours, theirs, shallow=False) for ours, theirs in pairs)


def _copy_files(source: Path, target: Path) -> int:
    """Copy the files of a run. What moves meanwhile is in a file that is copied later."""
    count = 0
    for path in listed_files(source):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(source / path, target / path)
        except FileNotFoundError:
            continue
        count += 1
    return count
