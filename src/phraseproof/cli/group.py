"""The classes of all commands and groups of commands: their help, and what a group does without a command."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from typer._click.core import Context, Parameter

WRONG_INPUT = 2

MOST_CHARACTERS_OF_CHOICES = 26
"""A help of 80 columns has room for a list of choices of this length."""


class Command(TyperCommand):
    """A command whose help shows types that a user can read."""

    def get_params(self, ctx: Context) -> list[Parameter]:
        """The command's own parameters and `--help`."""
        return _with_plain_types(super().get_params(ctx))


class CommandGroup(TyperGroup):
    """A group that prints its help to stderr when no command is named; stdout is for results only."""

    def get_params(self, ctx: Context) -> list[Parameter]:
        """The group's own parameters and `--help`."""
        return _with_plain_types(super().get_params(ctx))

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the group's own options."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            with redirect_stdout(sys.stderr):
                self.get_help(ctx)
            raise typer.Exit(WRONG_INPUT)
        return super().parse_args(ctx, args)


def use_plain_types(app: typer.Typer) -> None:
    """Make every command below `app` a `Command`."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        if group.typer_instance is not None:
            use_plain_types(group.typer_instance)


def _with_plain_types(parameters: list[Parameter]) -> list[Parameter]:
    for parameter in parameters:
        if isinstance(parameter, TyperArgument) and parameter.type_descriptor.is_list:
            # typer writes <list[Path]> here.
            parameter.display_type_rich = _repeated
        if not isinstance(parameter, TyperOption) or parameter.metavar is not None:
            continue
        if parameter.is_flag:
            # typer writes <bool> here, as if a value followed.
            parameter.metavar = ""
        elif parameter.type_descriptor.is_ranged:
            # typer writes <int range>, and then the range itself.
            parameter.metavar = f"<{parameter.type_descriptor.ranged_type_name}>"
        elif len("|".join(choices := _choices(parameter))) > MOST_CHARACTERS_OF_CHOICES:
            # typer breaks a long list of choices in the middle of a word.
            parameter.metavar = parameter.opts[0].lstrip("-").upper()
            parameter.help = f"{parameter.help} One of: {', '.join(choices)}."
    return parameters


def _choices(option: TyperOption) -> list[str]:
    return [str(choice) for choice in option.type_descriptor.choices or ()]


def _repeated(ctx: Context) -> str:
    """The type of an argument that may be repeated."""
    del ctx  # typer passes it by name
    return "..."
