"""Returns freed memory to the operating system. glibc keeps it, in pieces that later tensors do not fit into."""

from __future__ import annotations

import ctypes
from functools import cache


def trim_heap() -> None:
    """Return freed memory to the system; nothing where the C library cannot do so."""
    if (trim := _malloc_trim()) is not None:
        trim(0)


@cache
def _malloc_trim() -> ctypes._NamedFuncPointer | None:  # pyright: ignore[reportPrivateUsage] - the type has no public name
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # of macOS and musl; Windows has no such library
        return None
