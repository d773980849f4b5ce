"""The group of commands that `phraseproof` and its subcommands with verbs (`tasks`, `instructions`, ...) are."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

import typer
from typer.core import TyperGroup

WRONG_INPUT = 2


class CommandGroup(TyperGroup):
    """A group that prints its help to stderr when no command is named: nothing was asked for, so stdout stays empty."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the group's own options."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            with redirect_stdout(sys.stderr):
                self.get_help(ctx)
            raise typer.Exit(WRONG_INPUT)
        return super().parse_args(ctx, args)
