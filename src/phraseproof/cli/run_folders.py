"""Open run folders, for commands that show results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from phraseproof.cli import terminal
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.store.queries import Run


def open_runs(
    paths: Iterable[Path], scoring: str | None = None, metric: str | None = None, *, every: bool = False
) -> list[Run]:
    """Open run folders under a scorer and a metric; warn of incomplete ones, and say which of several is shown.

    Args:
        every: where no scorer or metric is named, open each run under each of its scorers or metrics.

    Raises:
        RunError: a path is not a run folder, or the run has no outcomes of that scorer or metric.
    """
    from phraseproof.store.queries import load_run

    runs = [load_run(path).select(scoring, metric) for path in paths]
    if every:
        runs = under_every_scoring(runs, scoring, metric)
    describe_runs(runs)
    return runs


def under_every_scoring(runs: Iterable[Run], scoring: str | None = None, metric: str | None = None) -> list[Run]:
    """Each run once per scorer and metric, unless one is named; a run without outcomes, as it is."""
    scored = [run.select(name) for run in runs for name in ([scoring] if scoring else run.scorings or [None])]
    return [
        run.select(run.chosen_scoring, name)
        for run in scored
        for name in ([metric] if metric else run.metrics or [None])
    ]


def describe_runs(runs: Sequence[Run]) -> None:
    """Warn of incomplete runs and changed sources, name edits by hand, and say which scorer is shown of several."""
    from phraseproof.store.run_file import ACCEPTED_EDITS

    terminal.warn_of_missing_cells(runs)
    warn_of_changed_sources(runs)
    for run in {run.path: run for run in runs}.values():
        edits: Sequence[str] = run.content.get(ACCEPTED_EDITS, ())
        if edits:
            terminal.note(f"{run.name}: run.json was edited by hand; accepted at {', '.join(edits)}")
    for run in runs:
        shown = {each.scoring for each in runs if each.path == run.path}
        others = [name for name in run.scorings if name not in shown]
        if others:
            choices = " or ".join(f"--scoring {quote(name)}" for name in others)
            terminal.note(f"{run.name}: outcomes of the scoring {run.scoring}; {choices} shows the others")
        judged = {each.metric for each in runs if (each.path, each.scoring) == (run.path, run.scoring)}
        if others := [name for name in run.metrics if name not in judged]:
            choices = " or ".join(f"--metric {quote(name)}" for name in others)
            terminal.note(f"{run.name}: scores of the metric {run.metric}; {choices} shows the others")


def warn_of_changed_sources(runs: Iterable[Run]) -> None:
    """Print a warning for every derived run whose source has changed since."""
    from phraseproof.store.derivation import change_of_source

    for run in {run.path: run for run in runs}.values():
        if change := change_of_source(run):
            terminal.warn(f"{run.name}: {change}; derive it again into a new folder")


def read_sizes(entries: Sequence[str], runs: Sequence[Path]) -> dict[Path, int]:
    """Parse the values of `--parameters`.

    Args:
        entries: RUN=NUMBER each.
        runs: the folders that the command was given.

    Raises:
        UsageError: an entry is malformed, or names a run that was not given.
    """
    sizes: dict[Path, int] = {}
    for name, size in (read_size(entry, "RUN") for entry in entries):
        if Path(name) not in runs:
            raise UsageError("no such run is given", expected=", ".join(map(str, runs)), got=name, where="--parameters")
        sizes[Path(name)] = size
    return sizes


def read_size(entry: str, of: str) -> tuple[str, int]:
    """Parse one value of `--parameters`: a name and its number of parameters.

    Args:
        entry: such as `runs/base=250e6`.
        of: what the name is of, in the error: `RUN` or `MODEL`.

    Raises:
        UsageError: the entry is malformed.
    """
    name, _, number = entry.rpartition("=")
    try:
        count = float(number)
    except ValueError:
        count = 0.0
    if not name or not 1 <= count < 1e18:
        raise UsageError(
            "not a model's size", expected=f"{of}=NUMBER, as in {of}=250e6", got=entry, where="--parameters"
        )
    return name, round(count)
