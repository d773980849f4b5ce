"""Reads the files inside of an Inspect log: a ZIP archive whose members are JSON, compressed with Zstandard."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from phraseproof.errors import FileError
from phraseproof.files import MAX_BYTES, parse_json, require_regular, unreadable
from phraseproof.logs.cells import mapping

_ZSTANDARD = 93
"""The number of the method in ZIP archives, which Python's zipfile knows from version 3.14 on."""

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_HEADERS = ("header.json", "_journal/start.json")
"""What describes the log. The first is written last: a log that was stopped has only the second."""


class EvalArchive:
    """An Inspect log, opened for reading.

    Args:
        path: a file `*.eval`.

    Raises:
        FileError: it cannot be read, or is no such archive.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            require_regular(path)
            with zipfile.ZipFile(path) as archive:
                self._members = {member.filename: member for member in archive.infolist()}
        except OSError as error:
            raise unreadable(path, error) from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise FileError(f"not an Inspect log: {error}", where=str(path), hint="Copy it again") from None

    def header(self) -> Mapping[str, object]:
        """What the log says of the evaluation.

        Raises:
            FileError: it says nothing.
        """
        name = next((name for name in _HEADERS if name in self._members), None)
        if name is None:
            raise FileError("not an Inspect log", expected=" or ".join(_HEADERS), where=str(self._path))
        return self._read(name)

    def samples(self) -> Iterator[Mapping[str, object]]:
        """The samples one by one."""
        for name in self._members:
            if name.startswith("samples/") and name.endswith(".json"):
                yield self._read(name)

    def _read(self, name: str) -> Mapping[str, object]:
        where = f"{self._path}, {name}"
        member = self._members[name]
        if member.file_size > MAX_BYTES:
            raise FileError("a part of the log is too large", got=f"{member.file_size} bytes", where=where)
        try:
            content = self._zstandard(member) if member.compress_type == _ZSTANDARD else self._ordinary(member)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, pa.ArrowException) as error:
            raise FileError(f"a part of the log cannot be read: {error}", where=where, hint="Copy it again") from None
        try:
            return mapping(parse_json(content), where)
        except ValueError as error:
            raise FileError(f"not valid JSON: {error}", where=where) from None

    def _ordinary(self, member: zipfile.ZipInfo) -> bytes:
        with zipfile.ZipFile(self._path) as archive:
            return archive.read(member)

    def _zstandard(self, member: zipfile.ZipInfo) -> bytes:
        with self._path.open("rb") as stream:
            stream.seek(member.header_offset)
            head = stream.read(_LOCAL_HEADER.size)
            if len(head) < _LOCAL_HEADER.size:
                raise zipfile.BadZipFile("the file was cut")
            _, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(head)
            stream.seek(name_bytes + extra_bytes, 1)
            packed = stream.read(member.compress_size)
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as unpacked:
            content = bytes(unpacked.read(member.file_size + 1))
        if len(content) != member.file_size or zlib.crc32(content) != member.CRC:
            raise zipfile.BadZipFile("its checksum is wrong")
        return content
