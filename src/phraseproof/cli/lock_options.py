"""The options about other processes that work on the same run folder, shared by `evaluate` and `represent`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from phraseproof.cli.options import OUTPUT
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.store.locks import LockOptions

LockTimeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Stop if another process holds the run folder or its cells for this time and makes no progress. "
        "Default: wait.",
        show_default=False,
        rich_help_panel=OUTPUT,
    ),
]
BreakLock = Annotated[
    bool,
    typer.Option(
        "--break-lock",
        help="Remove locks of processes on other machines. Use it only when these have ended.",
        rich_help_panel=OUTPUT,
    ),
]


def lock_options(timeout_s: float | None, *, breaks: bool) -> LockOptions:
    """The options as one value.

    Raises:
        UsageError: the time is not one.
    """
    from phraseproof.store.locks import LockOptions

    if timeout_s is not None and not (math.isfinite(timeout_s) and timeout_s >= 0):
        raise UsageError("not a time", expected="seconds, from 0", got=str(timeout_s), where="--lock-timeout")
    return LockOptions(timeout_s, breaks)
