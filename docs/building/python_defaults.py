"""An extension of Griffe: signatures in the reference show the values of defaults, not the names that hold them."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from docs.building.python_reference import shown_default
from griffe import Expr, Extension, Function

import phraseproof


class NamedDefaults(Extension):
    """Replaces defaults such as `DEFAULTS.limit` in public functions by what they are."""

    def on_function(self, *, func: Function, **kwargs: Any) -> None:
        """Look up the defaults that are not written in the signature."""
        del kwargs
        if func.name not in phraseproof.__all__ or func.parent is None or not func.parent.is_module:
            return
        found = inspect.signature(getattr(import_module(func.parent.path), func.name)).parameters
        for each in func.parameters:
            default = found[each.name].default
            if default is not inspect.Parameter.empty and isinstance(each.default, Expr):
                each.default = shown_default(default)
