"""JSON. Everything that writes JSON uses it."""

from __future__ import annotations

import json


def render_document(document: object, *, indent: int = 2) -> str:
    """One document, ending with a newline. Texts are not escaped beyond what JSON demands.

    Raises:
        ValueError: a number is not finite, which JSON cannot represent.
    """
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=indent) + "\n"
