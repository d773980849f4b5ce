"""GitHub-flavoured Markdown: escaped text and tables. Everything that writes Markdown uses it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from phraseproof.reports.build.text import printable

# A backslash takes the meaning from any of these. No text of a user begins a line, so marks that only mean something
# there (`-`, `+`, `1.`) stay readable.
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~$&])")


def escape(text: str) -> str:
    """`text` on one line, escaped so that Markdown shows it literally."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def table_lines(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Collection[int]) -> list[str]:
    """The lines of a table.

    Args:
        header, rows: cells that are escaped already.
        right: the columns that are aligned right, from 0.
    """
    rule = ["---:" if column in right else "---" for column in range(len(header))]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]
