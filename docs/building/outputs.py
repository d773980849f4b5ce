"""Writes what commands print into the pages that show it: `make docs-outputs PAGES='tutorial.md ...'`.

A block with `$ ` commands shows their output. It is replaced by what they print now, whole or, with the mark `shows`,
in part. A block with `...` and without `shows` is left as it is where it still fits, and reported where it does not:
which lines it should show is for a person to say.

Between `<!-- generated: NAME -->` and `<!-- end of generated -->`, a page shows a table that is made of the code.
"""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
from pathlib import Path

from docs.building.blocks import ROOT, Block, matches, page_name, page_named, pages
from docs.building.generated import TABLES
from docs.building.running import PageRun, in_order

_PART = re.compile(r'"([^"]*)"(?: to "([^"]*)")?(?:, |$)')
_GENERATED = re.compile(r"(<!-- generated: ([^\n]+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)


class OutputWriter:
    """Collects the outputs of a page's blocks, and writes them into its text.

    Attributes:
        by_hand: places whose output no longer fits, and whose lines a person has to choose.
    """

    def __init__(self) -> None:
        self._shown: dict[int, list[tuple[str, str, str]]] = {}
        self.by_hand: list[str] = []

    def add(self, block: Block, command: str, expected: str, printed: str) -> None:
        """Take the output of a command, as `PageRun.compare` gets it."""
        shown = expected
        if (parts := block.mark("shows")) is not None:
            shown = selected(printed, parts)
        elif "..." not in expected.splitlines():
            shown = trimmed(printed)
        elif not matches(expected, printed):
            self.by_hand.append(f"{block.where}: {command}")
        self._shown.setdefault(block.line, []).append((command, expected, shown))

    def written(self, text: str) -> str:
        """The page's text with the collected outputs."""
        lines = text.split("\n")
        for line, steps in sorted(self._shown.items(), reverse=True):
            end = next(number for number in range(line, len(lines)) if lines[number] == "```")
            block: list[str] = lines[line:end]
            lines[line:end] = _with_outputs(block, [shown for _, _, shown in steps])
        return "\n".join(lines)


def selected(printed: str, parts: str) -> str:
    """The lines that a mark `shows` names, with `...` for those between.

    Raises:
        ValueError: the mark cannot be read, or a line is not in the output.
    """
    if _PART.sub("", parts):
        raise ValueError(f'the mark shows: {parts}; expected "a" to "b", "c"')
    lines = trimmed(printed).splitlines()
    shown: list[str] = []
    place = 0
    for first, last in _PART.findall(parts):
        start = _line_that_begins(lines, first, place)
        end = _line_that_begins(lines, last, start) if last else start
        shown += ["..."] * (start > place) + lines[start : end + 1]
        place = end + 1
    shown += ["..."] * (place < len(lines))
    return "".join(f"{line}\n" for line in shown)


def trimmed(printed: str) -> str:
    """An output without spaces at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in printed.splitlines())


def with_generated(text: str) -> str:
    """A page's text with its tables that are made of the code."""
    return _GENERATED.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n{found[3]}", text)


def rewrite(page: Path) -> list[str]:
    """Run a page in a fresh folder, with the real model, and write the outputs into it.

    Returns:
        Places that a person has to look at.
    """
    writer = OutputWriter()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        PageRun(real=True, compare=writer.add).run(page)
    text = page.read_text(encoding="utf-8")
    page.write_text(with_generated(writer.written(text)), encoding="utf-8")
    return writer.by_hand


def _with_outputs(block: list[str], outputs: list[str]) -> list[str]:
    """The lines of a block, each command followed by its output."""
    found: list[str] = []
    remaining = iter(outputs)
    lines = iter(block)
    for line in lines:
        if not line.startswith("$ "):
            continue
        found.append(line)
        while found[-1].endswith("\\"):
            found.append(next(lines))
        found += next(remaining).splitlines()
    return found


def _line_that_begins(lines: list[str], text: str, start: int) -> int:
    for number in range(start, len(lines)):
        if lines[number].lstrip().startswith(text):
            return number
    raise ValueError(f"no line begins with '{text}' from line {start + 1} on, of:\n" + "\n".join(lines))


def main() -> None:
    """Rewrite the pages that are named, or all; exit code 1 if a person has to look at some."""
    named = in_order([page_named(name) for name in sys.argv[1:]] or pages())
    by_hand: list[str] = []
    for page in named:
        print(page_name(page), flush=True)
        by_hand += rewrite(page)
    if by_hand:
        print("Choose the lines of these outputs by hand:", *by_hand, sep="\n  ")
        sys.exit(1)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
