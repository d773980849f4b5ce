"""LaTeX: escaped text and rows of tables. Everything that writes LaTeX uses it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from phraseproof.reports.build.text import printable

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
PREAMBLE = r"% needs \usepackage{booktabs,longtable,textcomp} and \usepackage[T1]{fontenc}" + "\n"

# Two hyphens would join into a dash.
_UNJOINED_HYPHEN = "-{}"


def escape(text: str) -> str:
    """`text` on one line, escaped so that LaTeX prints it literally. The document's fonts must have its letters."""
    return _SPECIAL_PATTERN.sub(lambda found: _SPECIAL.get(found.group(), _UNJOINED_HYPHEN), printable(text))


def row_line(cells: Iterable[str]) -> str:
    """One row of a table, from cells that are escaped already."""
    return " & ".join(cells) + r" \\"


def floating_table(caption: str, columns: str, header: Sequence[str], body: Iterable[str]) -> str:
    """A floating table with a caption.

    Args:
        caption: not escaped yet.
        columns: LaTeX's column letters.
        header: cells that are escaped already.
        body: lines, from `row_line` or rules.
    """
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(caption)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        row_line(header),
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def long_table(caption: str, columns: str, header: Sequence[str], body: Iterable[str]) -> str:
    """A table that may run over pages and repeats its header; arguments as of `floating_table`."""
    head = [r"\toprule", row_line(header), r"\midrule"]
    lines = [
        rf"\begin{{longtable}}{{{columns}}}",
        rf"\caption{{{escape(caption)}}} \\",
        *head,
        r"\endfirsthead",
        *head,
        r"\endhead",
        *body,
        r"\bottomrule",
        r"\end{longtable}",
    ]
    return "\n".join(lines) + "\n"
