"""Python's garbage collector while large libraries are imported.

Importing torch and transformers makes half a million objects that live as long as the process. The collector, which
searches for objects that refer to each other and are no longer used, visits all of them several times meanwhile, and
again whenever it searches everything later: a quarter of the CPU time of a start.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

_REPORTS_AT_EXIT = "duckdb"
"""A library that prints at exit which of its compiled classes no search has found."""


class _Process:
    is_ours = False


def own_process() -> None:
    """Say that this process runs the command line and nothing else.

    Imported objects may then be left out of all later searches; in a user's program, its own objects would be too.
    """
    _Process.is_ours = True


@contextmanager
def importing(*modules: str) -> Generator[None]:
    """Search for no garbage while the block imports modules, unless all of them are imported already.

    Does not switch the collector on where the caller has switched it off. Objects that the process of a command line
    holds when the block ends are not searched later: of those that refer to each other, none is ever freed. So the
    block imports before models are made, and does nothing else. Where DuckDB is imported already, all objects are
    searched as ever: it would report its own at exit.
    """
    if not gc.isenabled() or all(module in sys.modules for module in modules):
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if _Process.is_ours and _REPORTS_AT_EXIT not in sys.modules:
            gc.freeze()
        gc.enable()
