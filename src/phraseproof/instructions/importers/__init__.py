"""Import wordings from files that other programs published. No code in those files is ever run.

`find` reads them, `write` writes them as collections. A new source is one file with a function `find` and one line in
`SOURCES`.
"""

from __future__ import annotations

import difflib
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from phraseproof.errors import UsageError
from phraseproof.instructions.importers.parsing.import_request import ImportRequest
from phraseproof.instructions.importers.parsing.parse_result import (
    ParseResult,
    Refused,
    UnrepresentableError,
    one_line,
    stem_of,
)
from phraseproof.instructions.writing import write_collection

__all__ = ["SOURCES", "ImportRequest", "ImportSource", "ParseResult", "Refused", "count_reasons", "find", "write"]


class ImportSource(NamedTuple):
    """A source of wordings.

    Attributes:
        module: the importer, a module with a function `find(path, request)`.
        about: what it reads, in a few words.
    """

    module: str
    about: str


class _Importer(Protocol):
    """The module of a source."""

    def find(self, path: Path, request: ImportRequest, /) -> ParseResult:
        """The wordings at a path."""
        ...


_MAX_NAME_BYTES = 255
"""The maximum length of one part of a path on the usual file systems of Linux, macOS and Windows."""

_HERE = "phraseproof.instructions.importers"

SOURCES: dict[str, ImportSource] = {
    "promptsource": ImportSource(f"{_HERE}.promptsource", "templates.yaml files, or a checkout (P3)"),
    "flan": ImportSource(f"{_HERE}.flan", "templates.py files of FLAN 2021 and Flan-2022, or a checkout"),
    "alpaca": ImportSource(f"{_HERE}.alpaca", "Stanford Alpaca's JSON: instruction, input, output"),
    "instructioneval": ImportSource(f"{_HERE}.instructioneval", "a checkout of the paper's code"),
    "paper": ImportSource(f"{_HERE}.paper", "the paper's wordings as JSON lines (instructions.jsonl)"),
    "lm-eval": ImportSource(f"{_HERE}.lm_eval", "task files (YAML) of lm-evaluation-harness, or a folder of them"),
    "promptsuite": ImportSource(f"{_HERE}.promptsuite", "templates or exports (JSON, CSV) of PromptSuite"),
    "list": ImportSource(f"{_HERE}.lists", "a CSV, TSV, JSON or text file with one wording per row"),
}


def find(source: str, path: Path, request: ImportRequest | None = None) -> ParseResult:
    """Read the wordings of a source's files, and the reasons for those that a collection cannot represent.

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
    importer = cast("_Importer", import_module(SOURCES[source].module))
    return importer.find(path, request or ImportRequest())


def write(result: ParseResult, out: Path) -> list[Path]:
    """Write the wordings as `out/COLLECTION/FILE.yaml`; a file of an earlier import is replaced.

    Wordings whose file would have too long a name move from the files of the result to those that are refused.

    Returns:
        The files, in the order in which their first wordings were found.

    Raises:
        FileError: a file cannot be written.
    """
    paths: list[Path] = []
    for (collection, stem), wordings in list(result.files.items()):
        names = (stem_of(collection), f"{stem_of(stem)}.yaml")
        longest = max(len(name.encode()) for name in names)
        if longest > _MAX_NAME_BYTES:
            del result.files[collection, stem]
            error = UnrepresentableError(
                f"the name of its file is longer than {_MAX_NAME_BYTES} bytes", f"{longest} bytes"
            )
            for wording in wordings:
                result.refuse(one_line(wording.name), str(out), error)
            continue
        path = out.joinpath(*names)
        write_collection(path, collection, wordings)
        paths.append(path)
    return paths


def count_reasons(result: ParseResult) -> list[tuple[str, int]]:
    """Count the refused wordings by reason, the most common reason first."""
    return Counter(refused.reason for refused in result.refused).most_common()
