"""The command line: one file per verb, parsing and printing only. Results go to stdout, everything else to stderr.

Exit codes: 0 success, 1 internal error, 2 wrong input, 3 a gate failed, 4 finished but some cells failed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NoReturn

import typer
import typer.main

from phraseproof.cli.commands import COMMANDS, app_of, list_of_commands
from phraseproof.cli.terminal import protect_terminal
from phraseproof.errors import MissingExtraError, PhraseproofError, printable

if TYPE_CHECKING:
    from typer._click.core import Command

_INTERRUPTED = 130
_OF_HF = {
    **{name: name for name in ("torch", "transformers", "accelerate", "peft", "safetensors", "datasets")},
    "sklearn": "scikit-learn",
}
"""The modules of the extra `hf`, and the packages that have them."""
_PLAIN = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "not a whole number",
    "Input should be a valid integer, got a number with a fractional part": "not a whole number",
    "Input should be a valid number, unable to parse string as a number": "not a number",
    "Unable to parse input string as an integer, exceeded maximum size": "the number is too large",
    "Input should be": "expected a number",
}


def __getattr__(name: str) -> typer.Typer:
    """`app`: the command line with all commands, made when it is first used."""
    if name != "app":
        raise AttributeError(f"module 'phraseproof.cli' has no attribute {name!r}")
    return _every_command()


@cache
def _every_command() -> typer.Typer:
    return app_of(COMMANDS)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit. An error in the input is one line on stderr."""
    from typer.exceptions import TyperException

    protect_terminal()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = _command(given[0] if given else "")(arguments, standalone_mode=False)
    except PhraseproofError as error:
        _fail(str(error), error.exit_code)
    except ModuleNotFoundError as error:
        # A module that a whole command needs is imported where the command begins; others are asked for by name.
        refusal = _missing(error.name or "", " ".join(["phraseproof", *given[:1]]))
        if refusal is None:
            raise
        _fail(str(refusal), refusal.exit_code)
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
    """The command line for the first argument: with that command alone, with a list of all, or with all of them.

    Made once: a caller of `main` may call it many times, and all commands take 0.1 s.
    """
    if named := [each for each in COMMANDS if each.name == name]:
        return typer.main.get_command(app_of(named))
    # A shell that completes a command line gives it in the environment.
    if name in {"", "--help"} and not any(key.endswith("_COMPLETE") for key in os.environ):
        return typer.main.get_command(list_of_commands())
    return typer.main.get_command(_every_command())


def _missing(module: str, command: str) -> PhraseproofError | None:
    """What to say of a module that is not there, or `None` where it is not of the extra `hf`."""
    package = _OF_HF.get(module.partition(".")[0])
    if package is None:
        return None
    if "." not in module:
        return MissingExtraError(command, extra="hf", package=package)
    return PhraseproofError(
        f"{command} needs the module {module}, which the installed package {package} does not have",
        hint="Install a version that has it with: pip install --upgrade 'phraseproof[hf]'",
    )


def _plain(message: str) -> str:
    """An error message of typer on one line, with pydantic's phrases replaced."""
    for phrase, plain in _PLAIN.items():
        message = message.replace(phrase, plain)
    return " ".join(message.split())


def _help_of(error: object) -> str:
    """The command whose help the error message suggests."""
    context = getattr(error, "ctx", None)
    return f"{context.command_path if context else 'phraseproof'} --help"


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(f"error: {printable(line)}", err=True)
    sys.exit(code)
