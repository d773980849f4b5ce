"""What commands print, and where: results on stdout, everything else on stderr.

How to use it in a command:

    from phraseproof.cli import terminal

    terminal.print_json(value)             # a result for programs (--json): one document, UTF-8
    terminal.print_result(text)            # a result for people, in the terminal's encoding
    terminal.print_file(text)              # a document that is redirected to a file (csv, markdown): always UTF-8
    terminal.warn("2 wordings are left out")     # "warning: ..." on stderr: the user should look at it
    terminal.note("the interval is wide")        # "note: ..." on stderr: good to know
    terminal.warn_of_missing_cells(runs)         # one line for each incomplete run
    terminal.console()                           # rich tables on stdout
    terminal.screen()                            # width and colours of stdout, for renderers that return text
    terminal.counted(2, "wording")               # "2 wordings"

A progress bar is in `progress.py`. An error is raised as a `PhraseproofError`; `cli/__init__.py` prints it.
Nothing here imports rich or the reports before it is called: `--help` must stay fast.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TextIO, cast

import typer

from phraseproof.errors import printable

if TYPE_CHECKING:
    from rich.console import Console

    from phraseproof.reports.build.run_tables import Screen
    from phraseproof.store.queries import Run

WIDTH_WITHOUT_A_TERMINAL: Final = 100
_COLOR = re.compile(r"(\x1b\[[0-9;]*m)")


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print one JSON document to stdout. Numbers that JSON cannot represent (NaN, infinity) are an error."""
    import json

    print_file(json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False) + "\n")


def print_result(text: str) -> None:
    """Print text for people to stdout; characters that the terminal's encoding lacks become `?`."""
    _write(text, sys.stdout.encoding or "utf-8")


def print_file(text: str) -> None:
    """Print a document to stdout as UTF-8, whatever the terminal's encoding: it is read by programs."""
    _write(text, "utf-8")


def _write(text: str, encoding: str) -> None:
    if sys.stdout.isatty():
        text = only_colors(text)
    typer.echo(text.encode(encoding, errors="replace"), nl=False)


def only_colors(text: str) -> str:
    """A text in which colours are the only control sequences; all others are shown as escapes."""
    parts = _COLOR.split(text)
    return "".join(part if place % 2 else printable(part) for place, part in enumerate(parts))


class EscapingStream:
    """A terminal's stream that passes on text and colours, and shows other control sequences as escapes.

    Results hold texts of files, servers and models, which could otherwise move the cursor or change the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; returns the number of characters, as other streams do."""
        self._stream.write(only_colors(text))
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


def protect_terminal() -> None:
    """From now on, only text and colours reach a terminal through stdout. Files and pipes get what is written."""
    if sys.stdout.isatty() and not isinstance(sys.stdout, EscapingStream):
        sys.stdout = cast("TextIO", EscapingStream(sys.stdout))


def warn(message: str) -> None:
    """Print a warning to stderr."""
    typer.echo(f"warning: {printable(message)}", err=True)


def note(message: str) -> None:
    """Print a remark to stderr."""
    typer.echo(f"note: {printable(message)}", err=True)


def warn_of_missing_cells(runs: Iterable[Run]) -> None:
    """Print a warning for every run that is incomplete."""
    for run in runs:
        if run.missing:
            warn(
                f"{run.name}: {len(run.missing)} of {len(run.cells)} cells are missing; the results use only the others"
            )


def console() -> Console:
    """A rich console on stdout that breaks no line and colours no numbers."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True)


def screen() -> Screen:
    """The width of stdout and whether it shows colours. `COLUMNS` overrides the width, `NO_COLOR` the colours."""
    from phraseproof.reports.build.run_tables import Screen

    has_color = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return Screen(shutil.get_terminal_size((WIDTH_WITHOUT_A_TERMINAL, 24)).columns, color=has_color)


def counted(number: int, noun: str) -> str:
    """`1 wording`, `2,400 wordings`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
