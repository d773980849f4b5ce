"""Reads the header of a GGUF file: metadata, and the names, types and places of its tensors.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3. Long arrays of texts (the
vocabulary) are counted and not kept, so that a header is read in milliseconds; every length is checked against the
file's size before anything is read by it.
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path
from typing import NamedTuple

from phraseproof.errors import ModelError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_NUMBERS = dict(zip((0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12), "BbHhIif?Qqd", strict=True))
_STRING, _ARRAY = 8, 9
_ALIGNMENT = 32
_MAX_DIMENSIONS = 8
_MAX_KEPT = 4096
"""The longest array of numbers that is kept."""


class TensorPlace(NamedTuple):
    """A tensor of the file.

    Attributes:
        name: by llama.cpp's rules.
        kind: the type of its blocks, as `Q8_0`.
        start, end: where its bytes begin and end in the file.
    """

    name: str
    kind: str
    start: int
    end: int


class GGUFHeader(NamedTuple):
    """What comes before the weights.

    Attributes:
        metadata: by name; of an array of texts or a long array of numbers, the number of its entries.
        tensors: in the file's order.
    """

    metadata: dict[str, object]
    tensors: list[TensorPlace]


def read_header(path: Path) -> GGUFHeader:
    """Read a file's header.

    Raises:
        ModelError: not a GGUF file, or one that is damaged.
    """
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    with path.open("rb") as stream:
        if stream.read(4) != _MAGIC:
            raise ModelError(f"'{path}' is not a GGUF file", expected="GGUF as its first four bytes", where="--model")
        try:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                cursor = _Cursor(content)
                cursor.place = len(_MAGIC)
                (version,) = cursor.numbers("I")
                if version not in _VERSIONS:
                    raise ValueError(f"version {version} of the format; 2 and 3 are known")  # noqa: TRY301
                tensor_count, metadata_count = cursor.numbers("QQ")
                metadata = {cursor.text(): cursor.value() for _ in range(cursor.bounded(metadata_count, each=13))}
                tensors: list[tuple[str, GGMLQuantizationType, int, int]] = []
                for _ in range(cursor.bounded(tensor_count, each=24)):
                    name = cursor.text()
                    (dimensions,) = cursor.numbers("I")
                    if dimensions > _MAX_DIMENSIONS:
                        raise ValueError(f"a tensor of {dimensions} dimensions")  # noqa: TRY301
                    count = math.prod(cursor.numbers(f"{dimensions}Q"))
                    kind, offset = cursor.numbers("IQ")
                    tensors.append((name, GGMLQuantizationType(kind), count, offset))
                alignment = metadata.get("general.alignment", _ALIGNMENT)
                if not isinstance(alignment, int) or alignment < 1:
                    raise ValueError(f"an alignment of {alignment}")  # noqa: TRY301
                start = -(-cursor.place // alignment) * alignment
        except (struct.error, ValueError, OSError) as error:
            raise ModelError(
                f"the GGUF file '{path}' cannot be read",
                got=str(error),
                where="--model",
                hint="It may be cut or damaged: compare its size and checksum with the original's",
            ) from error
    places: list[TensorPlace] = []
    for name, kind, count, offset in tensors:
        values, size = GGML_QUANT_SIZES[kind]
        places.append(TensorPlace(name, kind.name, start + offset, start + offset + count // values * size))
    return GGUFHeader(metadata, places)


class _Cursor:
    """Reads values one after the other."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self.place = 0

    def bounded(self, count: int, *, each: int) -> int:
        """A number of entries of at least `each` bytes, which the rest of the file must have room for."""
        if count * each > len(self._content) - self.place:
            raise ValueError(f"{count} entries at byte {self.place} of {len(self._content)}")
        return count

    def numbers(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{form}", self._content, self.place)
        self.place += struct.calcsize(f"<{form}")
        return found

    def text(self) -> str:
        (length,) = self.numbers("Q")
        start = self.place
        self.place += self.bounded(length, each=1)
        return self._content[start : self.place].decode("utf-8")

    def value(self) -> object:
        (kind,) = self.numbers("I")
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.numbers(_form(kind))[0]
        inner, count = self.numbers("IQ")
        if inner == _STRING:
            for _ in range(self.bounded(count, each=8)):
                (length,) = self.numbers("Q")
                self.place += self.bounded(length, each=1)
            return count
        form = _form(inner)
        self.bounded(count, each=struct.calcsize(f"<{form}"))
        if count > _MAX_KEPT:
            self.place += count * struct.calcsize(f"<{form}")
            return count
        return list(self.numbers(f"{count}{form}"))


def _form(kind: int) -> str:
    if kind not in _NUMBERS:
        raise ValueError(f"a value of the unknown type {kind}")
    return _NUMBERS[kind]
