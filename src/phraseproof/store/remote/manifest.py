"""Manifests: what a run in object storage holds at one moment, one object per moment, numbered and never changed.

`manifest/0000000042.json` holds its own SHA-256, and lists the files of the run folder with the segment of each.
The manifest with the highest number counts. A new one is created on condition that its number is new, so of two
writers one fails.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final, Self, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from phraseproof.errors import RunError
from phraseproof.files import parse_json
from phraseproof.store.processes import Process
from phraseproof.store.remote.object_store import ObjectStore

FOLDER: Final = "manifest"
FORMAT: Final = "phraseproof run 1"

_NAME = re.compile(r"(\d{10})\.json")
_TRIALS = 5
"""How often the newest manifest is looked for while a writer replaces it."""


class StoredFile(BaseModel):
    """A file of the run folder.

    Attributes:
        segment: that it is in.
        size: in bytes.
        crc32: of its content.
        changed_s: when it was last written, in seconds since 1970.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    segment: str
    size: int
    crc32: int
    changed_s: int = 0


class RemoteWriter(BaseModel):
    """Who wrote a manifest.

    Attributes:
        token: of one command.
        at_work: it is not finished; it writes a manifest every `every_s` seconds.
        process: as `Process.entry` gives it, without the command line, which may hold secrets.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    token: str
    at_work: bool
    every_s: float
    process: dict[str, Any]

    @property
    def who(self) -> Process:
        """The process."""
        try:
            return Process.of(self.process)
        except ValueError:
            return Process.unknown()


class Manifest(BaseModel):
    """What a run holds.

    Attributes:
        format: of the layout.
        run: an identifier of the run, made when its first manifest was.
        number: of the manifest.
        writer: who wrote it.
        segments: the size of each in bytes; a segment is named by the SHA-256 of its content.
        files: by their paths in the run folder.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: str = FORMAT
    run: str
    number: int
    writer: RemoteWriter
    segments: Mapping[str, int] = {}
    files: Mapping[str, StoredFile] = {}

    @property
    def name(self) -> str:
        """The object's."""
        return manifest_name(self.number)

    def to_bytes(self) -> bytes:
        """The object's content."""
        text = self.model_dump_json()
        return f'{{"sha256":"{_sha256(text)}",\n"manifest":{text}}}\n'.encode()

    @classmethod
    def of_bytes(cls, content: bytes, where: str) -> Self:
        """A manifest from its object.

        Raises:
            RunError: it is incomplete, was changed, has another format, or names files outside the run folder.
        """
        try:
            outer = cast("dict[str, Any]", parse_json(content))
            text = content.decode().partition('"manifest":')[2].rstrip().removesuffix("}")
            if outer["sha256"] != _sha256(text):
                raise _damaged("its checksum is not that of its content", where)
            if outer["manifest"]["format"] != FORMAT:
                raise RunError(
                    "the run was written by another version of phraseproof",
                    expected=FORMAT,
                    got=str(outer["manifest"]["format"]),
                    where=where,
                )
            found = cls.model_validate(outer["manifest"])
        except (ValueError, KeyError, TypeError) as error:
            reason = "it lacks what a manifest has" if isinstance(error, ValidationError | KeyError | TypeError) else ""
            raise _damaged(reason or str(error), where) from None
        for path, file in found.files.items():
            parts = path.split("/")
            if file.segment not in found.segments or any(part in {"", ".", ".."} or "\\" in part for part in parts):
                raise _damaged(f"it names a file that no run folder has: {json.dumps(path)}", where)
        return found


def manifest_name(number: int) -> str:
    """The object of the manifest with a number."""
    return f"{FOLDER}/{number:010d}.json"


def manifest_numbers(store: ObjectStore) -> list[int]:
    """The numbers of all manifests, in order."""
    return [int(found[1]) for name in store.names(FOLDER) if (found := _NAME.fullmatch(name))]


def newest_manifest(store: ObjectStore) -> Manifest | None:
    """The manifest that counts; `None` where there is no run.

    Raises:
        RunError: it is damaged, or the store cannot be read.
    """
    for _ in range(_TRIALS):
        numbers = manifest_numbers(store)
        if not numbers:
            return None
        name = manifest_name(numbers[-1])
        try:
            return Manifest.of_bytes(store.read(name), f"{store.url}/{name}")
        except FileNotFoundError:  # a writer has replaced it
            continue
    raise RunError("its manifests change faster than they can be read", where=store.url, hint="Run the command again")


def _damaged(reason: str, where: str) -> RunError:
    return RunError(
        f"the manifest is damaged: {reason}",
        where=where,
        hint="Without this object, the manifest before it counts, which lacks what was stored last",
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
