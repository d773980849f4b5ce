"""The package that brings Vega to Python: it draws charts on paper and holds the scripts of the page."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from phraseproof.errors import MissingExtraError


def vl_convert() -> ModuleType:
    """Import vl-convert-python.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module("vl_convert")
    except ImportError:
        raise MissingExtraError("drawing charts", extra="report", package="vl-convert-python") from None
