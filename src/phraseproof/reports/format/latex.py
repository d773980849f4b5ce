"""LaTeX: escaped text and rows of tables. Everything that writes LaTeX uses it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from phraseproof.reports.build.run_tables import printable

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    # After the end of a row, LaTeX reads these as options of the row break, even after white space.
    "[": "{[}",
    "*": "{*}",
    "±": r"$\pm$",
}
_SPECIAL_PATTERN = re.compile("|".join([*map(re.escape, _SPECIAL), "-(?=-)"]))
# Two hyphens would join into a dash.
_UNJOINED_HYPHEN = "-{}"


def escape(text: str) -> str:
    """`text` on one line, escaped so that LaTeX prints it literally. The document's fonts must have its letters."""
    return _SPECIAL_PATTERN.sub(lambda found: _SPECIAL.get(found.group(), _UNJOINED_HYPHEN), printable(text))


def row_line(cells: Iterable[str]) -> str:
    """One row of a table, from cells that are escaped already."""
    return " & ".join(cells) + r" \\"
