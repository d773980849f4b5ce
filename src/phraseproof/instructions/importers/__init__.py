"""Wordings of other programs, read from their published files; nothing in those files is ever run.

`find` reads, `write` keeps what was found as collections of ours. A new source is one file with a function `find` and
one line in `SOURCES`.
"""

from __future__ import annotations

import difflib
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, cast

from phraseproof.errors import UsageError
from phraseproof.instructions.importers.found import Found, Refused, stem_of
from phraseproof.instructions.importers.request import Request
from phraseproof.instructions.writing import write_collection

__all__ = ["SOURCES", "Found", "Refused", "Request", "Source", "count_reasons", "find", "write"]


class Source(NamedTuple):
    """Where wordings come from.

    Attributes:
        module: the importer, a module with a function `find(path, request)`.
        about: what it reads, for people.
    """

    module: str
    about: str


_HERE = "phraseproof.instructions.importers"

SOURCES: dict[str, Source] = {
    "promptsource": Source(f"{_HERE}.promptsource", "templates.yaml files, or a checkout (P3)"),
    "flan": Source(f"{_HERE}.flan", "templates.py files of FLAN 2021 and Flan-2022, or a checkout"),
    "alpaca": Source(f"{_HERE}.alpaca", "Stanford Alpaca's JSON: instruction, input, output"),
    "instructioneval": Source(f"{_HERE}.instructioneval", "a checkout of the paper's code"),
    "paper": Source(f"{_HERE}.paper", "the paper's wordings as JSON lines (instructions.jsonl)"),
    "lm-eval": Source(f"{_HERE}.lm_eval", "task files (YAML) of lm-evaluation-harness, or a folder of them"),
    "promptsuite": Source(f"{_HERE}.promptsuite", "templates or exports (JSON, CSV) of PromptSuite"),
    "list": Source(f"{_HERE}.lists", "a CSV, TSV, JSON or text file with one wording a row"),
}


def find(source: str, path: Path, request: Request | None = None) -> Found:
    """The wordings of a source's files, with those that our language cannot say.

    Raises:
        UsageError: no such source.
        FileError: nothing can be read at `path`.
    """
    if source not in SOURCES:
        close = difflib.get_close_matches(source, SOURCES, n=1)
        raise UsageError(
            f"no source of wordings is called {source!r}",
            expected=f"one of {', '.join(SOURCES)}",
            hint=f"Did you mean {close[0]!r}?" if close else None,
        )
    module: Any = import_module(SOURCES[source].module)
    return cast(Found, module.find(path, request or Request()))


def write(found: Found, out: Path) -> list[Path]:
    """Write what was found as `out/COLLECTION/FILE.yaml`; a file of an earlier import is replaced.

    Returns:
        The files, in the order they were found.

    Raises:
        FileError: a file cannot be written.
    """
    paths: list[Path] = []
    for (collection, stem), wordings in found.files.items():
        path = out / stem_of(collection) / f"{stem_of(stem)}.yaml"
        write_collection(path, collection, wordings)
        paths.append(path)
    return paths


def count_reasons(found: Found) -> list[tuple[str, int]]:
    """How often each reason came up, the commonest first."""
    return Counter(refused.reason for refused in found.refused).most_common()
