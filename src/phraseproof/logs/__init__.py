"""Reads the logs of other evaluation programs, so that their outcomes become a run folder.

A source is one file with `recognizes(path)` and `read(paths, request)`, and one line in `SOURCES`; installed packages
add sources through the entry point `phraseproof.logs`. `assemble.py` checks what they return, `write.py` stores it.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from phraseproof.errors import FileError, UsageError
from phraseproof.logs.cells import Log, LogRequest

__all__ = ["SOURCES", "Log", "LogRequest", "LogSource", "find_source", "read_logs", "source_names"]

ENTRY_POINT_GROUP = "phraseproof.logs"


class LogSource(NamedTuple):
    """A kind of log.

    Attributes:
        module: the reader.
        about: what it reads, in a few words.
    """

    module: str
    about: str


class _Reader(Protocol):
    """The module of a source."""

    def recognizes(self, path: Path, /) -> bool:
        """Whether a file or folder looks like one of this source. Never raises for a file of something else."""
        ...

    def read(self, paths: Sequence[Path], request: LogRequest, /) -> Log:
        """The outcomes in files and folders."""
        ...


_HERE = "phraseproof.logs"

SOURCES: dict[str, LogSource] = {
    "csv": LogSource(f"{_HERE}.csv_table", "a CSV or TSV file with the columns model, wording, example, score"),
    "lm-eval": LogSource(f"{_HERE}.lm_eval", "lm-evaluation-harness with --log_samples: its output folder"),
    "inspect": LogSource(f"{_HERE}.inspect_log", "Inspect: *.eval logs, or *.json of the same content"),
    "promptfoo": LogSource(f"{_HERE}.promptfoo", "promptfoo: files of promptfoo eval --output FILE.json"),
    "helm": LogSource(f"{_HERE}.helm", "HELM: run folders, or a folder of them"),
}


def source_names() -> list[str]:
    """The names of all sources, the shipped ones first."""
    return [*SOURCES, *sorted(set(_entry_points()) - set(SOURCES))]


def find_source(paths: Sequence[Path]) -> str:
    """The one source that recognizes all paths.

    Raises:
        FileError: a path does not exist, or no source or several recognize it.
        UsageError: the paths are of several sources.
    """
    found: dict[str, Path] = {}
    for path in paths:
        if not path.exists():
            raise FileError("no such file or folder", where=str(path))
        names = [name for name in source_names() if _reader(name).recognizes(path)]
        if len(names) != 1:
            what = f"this can be a log of {' and of '.join(names)}" if names else "not a known kind of log"
            raise FileError(
                what, expected=f"one of: {', '.join(source_names())}", where=str(path), hint="Name it with --from"
            )
        found.setdefault(names[0], path)
    if len(found) > 1:
        raise UsageError(
            "the files are of several programs",
            got=", ".join(f"{path} of {name}" for name, path in found.items()),
            hint="Import each program's files into a run folder of its own",
        )
    return next(iter(found))


def read_logs(source: str, paths: Sequence[Path], request: LogRequest) -> Log:
    """The outcomes in files and folders of a source.

    Raises:
        UsageError: no such source, or the request does not fit.
        FileError: a file cannot be read, or is not what the source expects.
    """
    if source not in source_names():
        raise UsageError(
            f"no logs are called {source!r}", expected=f"one of: {', '.join(source_names())}", where="--from"
        )
    for path in paths:
        if not path.exists():
            raise FileError("no such file or folder", where=str(path))
    return _reader(source).read(paths, request)


def _reader(name: str) -> _Reader:
    if name in SOURCES:
        return cast("_Reader", import_module(SOURCES[name].module))
    return cast("_Reader", _entry_points()[name].load())


def _entry_points() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
