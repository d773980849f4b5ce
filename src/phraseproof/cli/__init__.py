"""The command line: one file per verb, parsing and printing only. Results go to stdout, everything else to stderr.

Exit codes: 0 success, 1 internal error, 2 wrong input, 3 a gate failed, 4 finished but some cells failed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from phraseproof import __version__
from phraseproof.cli import collect, instructions, pairs, pocket, tasks
from phraseproof.cli.agree import agree
from phraseproof.cli.align import align
from phraseproof.cli.analyze import analyze
from phraseproof.cli.calibrate import calibrate
from phraseproof.cli.choose import choose
from phraseproof.cli.compare import compare
from phraseproof.cli.config import config
from phraseproof.cli.copy_run import copy_run
from phraseproof.cli.demo import demo
from phraseproof.cli.doctor import doctor
from phraseproof.cli.ensemble import ensemble
from phraseproof.cli.evaluate import evaluate
from phraseproof.cli.examples import add_examples
from phraseproof.cli.gate import gate
from phraseproof.cli.group import CommandGroup, use_plain_types
from phraseproof.cli.harden import harden
from phraseproof.cli.import_results import import_results
from phraseproof.cli.paraphrase import paraphrase
from phraseproof.cli.plot import plot
from phraseproof.cli.reduce import reduce
from phraseproof.cli.report import report
from phraseproof.cli.represent import represent
from phraseproof.cli.runs import runs
from phraseproof.cli.schema import schema
from phraseproof.cli.study import study
from phraseproof.cli.table import table
from phraseproof.cli.terminal import protect_terminal
from phraseproof.cli.tune import tune
from phraseproof.cli.view import view
from phraseproof.errors import PhraseproofError, printable

if TYPE_CHECKING:
    from typer._click.core import Command

_INTERRUPTED = 130
_PLAIN = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "not a whole number",
    "Input should be a valid integer, got a number with a fractional part": "not a whole number",
    "Input should be a valid number, unable to parse string as a number": "not a number",
    "Unable to parse input string as an integer, exceeded maximum size": "the number is too large",
    "Input should be": "expected a number",
}

app = typer.Typer(
    name="phraseproof",
    help="Measure how much a language model's answers depend on the wording of an instruction, and reduce it.",
    epilog="Documentation: README.md and docs/. A first look, offline: phraseproof demo",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

MEASURE = "Measure"
LOOK = "Look at results"
REDUCE = "Reduce the sensitivity"
MATERIAL = "Tasks, wordings, models"

app.command("demo", short_help="Try it offline: measure and align a tiny model.", rich_help_panel=MEASURE)(demo)
app.command("evaluate", short_help="Score a model on tasks under every wording.", rich_help_panel=MEASURE)(evaluate)
app.command("represent", short_help="Measure how far apart a model sees wordings.", rich_help_panel=MEASURE)(represent)
app.command("doctor", short_help="Check the installation, and a model's scoring.", rich_help_panel=MEASURE)(doctor)
app.command("study", short_help="Make a table or figure of the paper.", rich_help_panel=MEASURE)(study)
app.command("import-results", short_help="Read other programs' logs into a run.", rich_help_panel=MEASURE)(
    import_results
)
app.command("runs", short_help="List the runs below a folder or URL.", rich_help_panel=LOOK)(runs)
app.command("copy", short_help="Copy a run to object storage, or from it.", rich_help_panel=LOOK)(copy_run)
app.command("config", short_help="Print a run's options as a config file.", rich_help_panel=LOOK)(config)
app.command("table", short_help="Show means, spread and differences of runs.", rich_help_panel=LOOK)(table)
app.command("analyze", short_help="Show intervals, tests and controls.", rich_help_panel=LOOK)(analyze)
app.command("report", short_help="Write an HTML page with everything in runs.", rich_help_panel=LOOK)(report)
app.command("view", short_help="Browse runs and answers on a local page.", rich_help_panel=LOOK)(view)
app.command("compare", short_help="Show what changed from one run to another.", rich_help_panel=LOOK)(compare)
app.command("agree", short_help="Compare a metric with people's labels.", rich_help_panel=LOOK)(agree)
app.command("gate", short_help="Check a run against limits, for CI.", rich_help_panel=LOOK)(gate)
app.command("plot", short_help="Draw one chart as PDF, SVG or PNG.", rich_help_panel=LOOK)(plot)
app.command("calibrate", short_help="Correct a run for a model's fixed preferences.", rich_help_panel=REDUCE)(calibrate)
app.command("reduce", short_help="Try what reduces the spread, and recommend.", rich_help_panel=REDUCE)(reduce)
app.command("choose", short_help="Choose a wording, and say what it is worth.", rich_help_panel=REDUCE)(choose)
app.command("ensemble", short_help="Show what several wordings together give.", rich_help_panel=REDUCE)(ensemble)
app.command("align", short_help="Train a soft prompt that reduces sensitivity.", rich_help_panel=REDUCE)(align)
app.command("harden", short_help="Measure, train, measure on unseen wordings.", rich_help_panel=REDUCE)(harden)
app.add_typer(
    pairs.app, name="pairs", cls=CommandGroup, short_help="Make training pairs for align.", rich_help_panel=REDUCE
)
app.command("tune", short_help="Train a model on instructions and their answers.", rich_help_panel=MATERIAL)(tune)
app.add_typer(tasks.app, name="tasks", cls=CommandGroup, rich_help_panel=MATERIAL)
app.add_typer(instructions.app, name="instructions", cls=CommandGroup, rich_help_panel=MATERIAL)
app.add_typer(
    collect.app,
    name="collect",
    cls=CommandGroup,
    short_help="Gather wordings from people.",
    rich_help_panel=MATERIAL,
)
app.command("schema", short_help="Print JSON Schemas of YAML files, for editors.", rich_help_panel=MATERIAL)(schema)
app.command("paraphrase", short_help="Have a model write new wordings.", rich_help_panel=MATERIAL)(paraphrase)
app.add_typer(pocket.app, name="pocket", cls=CommandGroup, rich_help_panel=MATERIAL)
add_examples(app)
use_plain_types(app)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"phraseproof {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit. An error in the input is one line on stderr."""
    from typer.exceptions import TyperException

    protect_terminal()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = _command(given[0] if given else "")(arguments, standalone_mode=False)
    except PhraseproofError as error:
        _fail(str(error), error.exit_code)
    except TyperException as error:
        line = _plain(error.format_message()).rstrip(".")
        _fail(f"{line}{'' if line.endswith('?') else '.'} See {_help_of(error)}", getattr(error, "exit_code", 2))
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except BrokenPipeError:
        # The reader of our output closed it (`| head`): stop without an error, as other tools do.
        sys.stderr.close()
        sys.exit(0)
    if code == _INTERRUPTED:  # typer uses the same code for Ctrl-C
        typer.echo("stopped. Stored results are kept; the same command continues from there", err=True)
    sys.exit(code if isinstance(code, int) else 0)


@cache
def _command(name: str) -> Command:
    """The command line with the command or group of one name, or with all of them if none has it.

    Made once: a caller of `main` may call it many times, and all commands take 0.1 s.
    """
    part = copy(app)
    part.registered_commands = [each for each in app.registered_commands if each.name == name]
    part.registered_groups = [each for each in app.registered_groups if each.name == name]
    return typer.main.get_command(part if part.registered_commands or part.registered_groups else app)


def _plain(message: str) -> str:
    """An error message of typer, with pydantic's phrases replaced."""
    for phrase, plain in _PLAIN.items():
        message = message.replace(phrase, plain)
    return message


def _help_of(error: object) -> str:
    """The command whose help the error message suggests."""
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'phraseproof'} --help"


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(f"error: {printable(line)}", err=True)
    sys.exit(code)
