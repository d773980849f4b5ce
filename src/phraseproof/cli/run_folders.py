"""Open run folders, for commands that show results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.cli import terminal
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.store.queries import Run


def open_runs(paths: Iterable[Path], scoring: str | None = None) -> list[Run]:
    """Open run folders under a scorer; warn of incomplete ones, and say which scorer is shown if there are several.

    Raises:
        RunError: a path is not a run folder, or the run has no outcomes of that scorer.
    """
    from phraseproof.store.queries import load_run

    runs = [load_run(path).select(scoring) for path in paths]
    describe_runs(runs)
    return runs


def describe_runs(runs: Sequence[Run]) -> None:
    """Warn of incomplete runs, name edits by hand, and say which scorer is shown of runs that hold several."""
    from phraseproof.store.run_file import ACCEPTED_EDITS

    terminal.warn_of_missing_cells(runs)
    for run in runs:
        edits: Sequence[str] = run.content.get(ACCEPTED_EDITS, ())
        if edits:
            terminal.note(f"{run.path}: run.json was edited by hand; accepted at {', '.join(edits)}")
        others = [name for name in run.scorings if name != run.scoring]
        if others:
            choices = " or ".join(f"--scoring {name}" for name in others)
            terminal.note(f"{run.path}: outcomes of the scoring {run.scoring}; {choices} shows the others")


def read_sizes(entries: Sequence[str], runs: Sequence[Path]) -> dict[Path, int]:
    """Parse the values of `--parameters`.

    Args:
        entries: RUN=NUMBER each.
        runs: the folders that the command was given.

    Raises:
        UsageError: an entry is malformed, or names a run that was not given.
    """
    sizes: dict[Path, int] = {}
    for entry in entries:
        name, _, number = entry.rpartition("=")
        try:
            count = float(number)
        except ValueError:
            count = 0.0
        if not name or not 1 <= count < 1e18:
            raise UsageError(
                "not a model's size", expected="RUN=NUMBER, as in runs/base=250e6", got=entry, where="--parameters"
            )
        if Path(name) not in runs:
            raise UsageError("no such run is given", expected=", ".join(map(str, runs)), got=name, where="--parameters")
        sizes[Path(name)] = round(count)
    return sizes
