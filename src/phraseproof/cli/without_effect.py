"""Options that would have no effect are refused, instead of being ignored in silence."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from phraseproof.cli.options import MODEL
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    import typer


def options_given(ctx: typer.Context) -> frozenset[str]:
    """The names of the parameters that were given on the command line."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return frozenset(name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE")


def refuse_options_of_a_model(
    ctx: typer.Context, *others: str, needed: str = "--model", keep: Collection[str] = ()
) -> None:
    """Refuse the options of the panel "Model", for a command that reads no model this time.

    Args:
        ctx: of the command.
        others: the names of further parameters that only a model uses.
        needed: the option without which they have no effect.
        keep: the names of parameters of the panel that have an effect.

    Raises:
        UsageError: one of them was given.
    """
    of_panel = (each.name for each in ctx.command.params if getattr(each, "rich_help_panel", None) == MODEL)
    refuse_options(ctx, (name for name in (*of_panel, *others) if name and name not in keep), f"requires {needed}")


def refuse_options(ctx: typer.Context, names: Iterable[str], why: str) -> None:
    """Refuse these parameters if they were given on the command line.

    Args:
        ctx: of the command.
        names: of the parameters.
        why: the rest of the sentence, after the option.

    Raises:
        UsageError: one of them was given.
    """
    refused = options_given(ctx).intersection(names)
    for each in ctx.command.params:
        if each.name in refused:
            option = max(each.opts, key=len)
            raise UsageError(f"{option} {why}")
