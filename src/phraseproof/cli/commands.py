"""All commands: what the list of commands says of each, and the command line with one of them, or with all.

A command is imported when it is named, because importing all of them takes longer than many of them take.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, NamedTuple

import typer

from phraseproof import __version__
from phraseproof.cli.examples import add_examples
from phraseproof.cli.group import CommandGroup, use_plain_types

MEASURE = "Measure"
LOOK = "Look at results"
REDUCE = "Reduce the sensitivity"
MATERIAL = "Tasks, wordings, models"


class Listed(NamedTuple):
    """A command or a group of commands, as the list of commands shows it.

    Attributes:
        name: what a user types.
        help: one sentence.
        panel: the heading of the list.
        is_group: whether commands follow it.
        module: where it is and what its function is called, if not by its name. A group's module has an `app`.
    """

    name: str
    help: str
    panel: str
    is_group: bool = False
    module: str = ""

    @property
    def home(self) -> str:
        """The module, below `phraseproof.cli`."""
        return self.module or self.name.replace("-", "_")


COMMANDS = (
    Listed("demo", "Try it offline: measure and align a tiny model.", MEASURE),
    Listed("evaluate", "Score a model on tasks under every wording.", MEASURE),
    Listed("represent", "Measure how far apart a model sees wordings.", MEASURE),
    Listed("doctor", "Check the installation, and a model's scoring.", MEASURE),
    Listed("study", "Make a table or figure of the paper.", MEASURE),
    Listed("import-results", "Read other programs' logs into a run.", MEASURE),
    Listed("runs", "List the runs below a folder or URL.", LOOK),
    Listed("copy", "Copy a run to object storage, or from it.", LOOK, module="copy_run"),
    Listed("config", "Print a run's options as a config file.", LOOK),
    Listed("table", "Show means, spread and differences of runs.", LOOK),
    Listed("analyze", "Show intervals, tests and controls.", LOOK),
    Listed("report", "Write an HTML page with everything in runs.", LOOK),
    Listed("view", "Browse runs and answers on a local page.", LOOK),
    Listed("compare", "Show what changed from one run to another.", LOOK),
    Listed("agree", "Compare a metric with people's labels.", LOOK),
    Listed("gate", "Check a run against limits, for CI.", LOOK),
    Listed("plot", "Draw one chart as PDF, SVG or PNG.", LOOK),
    Listed("calibrate", "Correct a run for a model's fixed preferences.", REDUCE),
    Listed("reduce", "Try what reduces the spread, and recommend.", REDUCE),
    Listed("choose", "Choose a wording, and say what it is worth.", REDUCE),
    Listed("ensemble", "Show what several wordings together give.", REDUCE),
    Listed("align", "Train a soft prompt that reduces sensitivity.", REDUCE),
    Listed("harden", "Measure, train, measure on unseen wordings.", REDUCE),
    Listed("pairs", "Make training pairs for align.", REDUCE, is_group=True),
    Listed("tune", "Train a model on instructions and their answers.", MATERIAL),
    Listed("tasks", "List, show and validate tasks.", MATERIAL, is_group=True),
    Listed("instructions", "List, show, validate and import wordings.", MATERIAL, is_group=True),
    Listed("collect", "Gather wordings from people.", MATERIAL, is_group=True),
    Listed("schema", "Print JSON Schemas of YAML files, for editors.", MATERIAL),
    Listed("paraphrase", "Have a model write new wordings.", MATERIAL),
    Listed("pocket", "Train a shipped tiny model again, measure it, and write its data.", MATERIAL, is_group=True),
)


def app_of(commands: Sequence[Listed]) -> typer.Typer:
    """The command line with some of the commands, which are imported."""
    app = _root_app()
    for each in commands:
        module = import_module(f"phraseproof.cli.{each.home}")
        if each.is_group:
            app.add_typer(
                module.app, name=each.name, cls=CommandGroup, short_help=each.help, rich_help_panel=each.panel
            )
        else:
            app.command(each.name, short_help=each.help, rich_help_panel=each.panel)(getattr(module, each.home))
    add_examples(app)
    use_plain_types(app)
    return app


def list_of_commands() -> typer.Typer:
    """The command line that shows the list of commands; none of them is imported or can be used."""
    app = _root_app()
    for each in COMMANDS:
        if each.is_group:
            app.add_typer(typer.Typer(), name=each.name, short_help=each.help, rich_help_panel=each.panel)
        else:
            app.command(each.name, short_help=each.help, rich_help_panel=each.panel)(_nothing)
    return app


def _root_app() -> typer.Typer:
    app = typer.Typer(
        name="phraseproof",
        help="Measure how much a language model's answers depend on the wording of an instruction, and reduce it.",
        epilog="Documentation: README.md and docs/. A first look, offline: phraseproof demo",
        cls=CommandGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_root)
    return app


def _nothing() -> None:
    """In place of a command that is only listed."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"phraseproof {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version
