"""The command line: one file a verb, parsing and printing only. Results go to stdout, everything else to stderr.

Exit codes: 0 fine, 1 internal error, 2 the input is wrong, 3 a gate failed, 4 finished but some cells failed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from phraseproof import __version__
from phraseproof.cli import instructions, pairs, pocket, tasks
from phraseproof.cli.align import align
from phraseproof.cli.analyze import analyze
from phraseproof.cli.compare import compare
from phraseproof.cli.demo import demo
from phraseproof.cli.doctor import doctor
from phraseproof.cli.evaluate import evaluate
from phraseproof.cli.gate import gate
from phraseproof.cli.harden import harden
from phraseproof.cli.import_results import import_results
from phraseproof.cli.paraphrase import paraphrase
from phraseproof.cli.plot import plot
from phraseproof.cli.report import report
from phraseproof.cli.represent import represent
from phraseproof.cli.table import table
from phraseproof.errors import PhraseproofError

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
    help="Measure how far a language model's answers hang on the wording of an instruction.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.command("demo", short_help="A first look, offline: measure a tiny model and mend it.")(demo)
app.command("evaluate", short_help="Score a model on tasks under every wording.")(evaluate)
app.command("table", short_help="Show what runs found: means, spread, differences.")(table)
app.command("analyze", short_help="Say what the numbers are worth: intervals, tests.")(analyze)
app.command("report", short_help="Write a page with everything runs hold.")(report)
app.command("compare", short_help="Say what changed from one run to another.")(compare)
app.command("gate", short_help="Hold a run against limits, for CI.")(gate)
app.command("plot", short_help="Draw one picture, in print quality.")(plot)
app.command("import-results", short_help="Read published accuracies into a run.")(import_results)
app.command("align", short_help="Train a soft prompt until the wording matters less.")(align)
app.command("harden", short_help="Measure, train, measure again on unseen wordings.")(harden)
app.command("paraphrase", short_help="Have a model write new wordings.")(paraphrase)
app.command("represent", short_help="See how far wordings lie apart in a model.")(represent)
app.command("doctor", short_help="Check the installation, and a model's scoring.")(doctor)
app.add_typer(tasks.app, name="tasks")
app.add_typer(instructions.app, name="instructions")
app.add_typer(pairs.app, name="pairs", short_help="Make training pairs for align.")
app.add_typer(pocket.app, name="pocket")


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
    """Run the command line and exit. Whatever is wrong with the input is one line on stderr."""
    from typer.exceptions import TyperException

    try:
        code = app(arguments, standalone_mode=False)
    except PhraseproofError as error:
        _fail(str(error), error.exit_code)
    except TyperException as error:
        if "\n" in error.format_message():  # a command that needs a subcommand got none: this is its help
            typer.echo(error.format_message(), err=True)
            sys.exit(2)
        line = _plain(error.format_message()).rstrip(".")
        _fail(f"{line}{'' if line.endswith('?') else '.'} See {_help_of(error)}", getattr(error, "exit_code", 2))
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; stop quietly, as other tools do.
        sys.stderr.close()
        sys.exit(0)
    if code == _INTERRUPTED:  # typer, too, turns Ctrl-C into this code
        typer.echo("stopped. What was stored is kept: the same command goes on from there", err=True)
    sys.exit(code if isinstance(code, int) else 0)


def _plain(message: str) -> str:
    """A complaint of typer's without the words of the library that it checks values with."""
    for theirs, ours in _PLAIN.items():
        message = message.replace(theirs, ours)
    return message


def _help_of(error: object) -> str:
    """The command whose help would help."""
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'phraseproof'} --help"


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(f"error: {line}", err=True)
    sys.exit(code)
