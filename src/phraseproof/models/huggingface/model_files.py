"""Checks of the files of a model or an adapter before other libraries read them."""

from __future__ import annotations

from pathlib import Path

from phraseproof.errors import ModelError
from phraseproof.files import read_json, require_regular

_MOST_BYTES_OF_SETTINGS = 64 << 20


def check_model_file(path: Path) -> None:
    """Refuse what would block or mislead the libraries that read a model.

    Raises:
        ModelError: a device, a named pipe or a folder; a `*config.json` that holds no JSON object.
    """
    try:
        require_regular(path)
        is_settings = path.name.endswith("config.json")
        content = read_json(path, max_bytes=_MOST_BYTES_OF_SETTINGS) if is_settings else {}
    except OSError as error:
        raise ModelError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    except ValueError as error:
        raise ModelError(f"cannot be read: not valid JSON: {error}", where=str(path)) from None
    if not isinstance(content, dict):
        raise ModelError("cannot be read: not a JSON object", got=type(content).__name__, where=str(path))
