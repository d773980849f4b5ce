"""Versioned content hashes: what makes a cell the same cell."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from phraseproof.files import require_regular, unreadable

SCHEMA_VERSION = 1
"""Raised whenever code changes what a stored number means; old cells are then computed again."""

OMITTED_AT_DEFAULT: Mapping[str, object] = MappingProxyType({"omitted_at_default": True})
"""Metadata of a field that older versions did not have: it is hashed only where it is not at its default."""

_DIGEST_BYTES = 16
_CHUNK_BYTES = 1 << 20


def content_hash(value: Any) -> str:
    """A hash of plain data (dataclasses, mappings, sequences, strings, numbers, `None`), the same on every machine.

    Returns:
        32 hexadecimal digits (128 bits of BLAKE2b over canonical JSON and `SCHEMA_VERSION`).
    """
    text = json.dumps([SCHEMA_VERSION, value], default=_plain, sort_keys=True, ensure_ascii=True, allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def file_hash(*paths: Path) -> str:
    """A hash of files' names and bytes, in the order given.

    Raises:
        FileError: one of them is no regular file: a device has no end, and a named pipe waits.
    """
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for path in paths:
        try:
            require_regular(path)
        except OSError as error:
            raise unreadable(path, error) from None
        digest.update(path.name.encode() + b"\0" + str(path.stat().st_size).encode() + b"\0")
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def hub_commit(name: str, revision: str | None = None) -> str | None:
    """The commit of a model of the hub that this machine's cache holds; `None` where it holds none.

    transformers 5 does not say which commit it read.

    Args:
        name: the hub id.
        revision: a branch, a tag or a commit; `None` for the default branch.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, "config.json", revision=revision)
    except HFValidationError:  # no hub id
        return None
    return Path(found).parent.name if isinstance(found, str) else None


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        always, others = _hashed_fields(type(value))
        found = {name: getattr(value, name) for name in always}
        for name, default in others:
            if (given := getattr(value, name)) != default:
                found[name] = given
        return found
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    raise TypeError(f"{type(value).__name__} has no canonical form to hash")


@lru_cache(maxsize=256)
def _hashed_fields(kind: type[Any]) -> tuple[tuple[str, ...], tuple[tuple[str, object], ...]]:
    """The fields of a dataclass that are always hashed, and those that are omitted at the default next to them."""
    compared = [item for item in dataclasses.fields(kind) if item.compare]
    return (
        tuple(item.name for item in compared if item.metadata != OMITTED_AT_DEFAULT),
        tuple((item.name, item.default) for item in compared if item.metadata == OMITTED_AT_DEFAULT),
    )
