"""Code blocks of the documentation, and how to run them.

A block is run by what it is: a `python` block is executed, and a block whose first line begins with `$ ` or
`phraseproof ` holds commands. After `$ ` commands the block shows what they print, which is compared; a line `...`
is for any number of lines. HTML comments on the lines right above a block say what a reader does not see:

    <!-- file: tickets.csv -->           the block is the content of a file
    <!-- files of: tutorial.md -->       write the files of a page, or of this one, before the block
    <!-- after: tutorial.md -->          the page starts with the files and runs of that page; on its first block
    <!-- setup: phraseproof ... -->      a command to run before the block
    <!-- with: google/flan-t5-base=scripted -->    replace a text in the commands: the model is on the hub
    <!-- real: REASON -->                the block needs SmolLM2: run as printed where real models are, else with
                                         `scripted`, whose output is not compared
    <!-- shows: "a" to "b", "c" -->      which lines of its command's output the block shows, for `make docs-outputs`:
                                         from the first that begins with a to the next that begins with b, and the
                                         first after it that begins with c
    <!-- exit: 3 -->                     the exit code of the block's last command; 0 unless given
    <!-- output varies: REASON -->       the printed text is not compared
    <!-- not run: REASON -->             the block needs the hub, a server, or minutes
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARKS = frozenset(
    {"after", "exit", "file", "files of", "not run", "output varies", "real", "setup", "shows", "with"},
)
"""The names of marks."""

_BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n)*)^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_RULE = re.compile("─{3,}")
_MARK = re.compile(r"^<!-- ([\w ]+?): (.*) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block with the marks above it.

    Attributes:
        page: the file's path below docs/, or README.md.
        line: the line of the opening fence, from 1.
        language: what follows the fence; may be empty.
        text: the content.
        marks: the comments above it, in their order.
    """

    page: str
    line: int
    language: str
    text: str
    marks: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def mark(self, name: str) -> str | None:
        """The value of a mark, if the block has it."""
        return dict(self.marks).get(name)

    @property
    def is_command(self) -> bool:
        """Whether the block holds commands."""
        return re.match(r"\$ |phraseproof ", self.text) is not None

    @property
    def is_code(self) -> bool:
        """Whether a reader could run the block."""
        return self.is_command or self.language == "python"

    @property
    def shows_output(self) -> bool:
        """Whether the block shows what its commands print."""
        return self.text.startswith("$ ")

    @property
    def where(self) -> str:
        """The place, for messages."""
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """README.md and every page of docs/, in the order of their names."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def page_name(page: Path) -> str:
    """How marks and messages name a page: its path below docs/; README.md is README.md."""
    folder = ROOT / "docs"
    return page.relative_to(folder).as_posix() if page.is_relative_to(folder) else page.name


def page_named(name: str) -> Path:
    """README.md, or a page of docs/."""
    return ROOT / name if name == "README.md" else ROOT / "docs" / name


def blocks_of(path: Path) -> list[Block]:
    """The code blocks of a page, in their order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(
            page_name(path),
            text.count("\n", 0, found.start(2)) + 1,
            found[2],
            found[3],
            [(mark[1], mark[2]) for mark in _MARK.finditer(found[1])],
        )
        for found in _BLOCK.finditer(text)
    ]


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a block, each with what the block shows it to print."""
    found: list[tuple[str, str]] = []
    lines = iter(text.splitlines())
    shows_output = text.startswith("$ ")
    for line in lines:
        if line.startswith("$ ") or not shows_output:
            command = line.removeprefix("$ ")
            while command.endswith("\\"):
                command = command[:-1] + next(lines)
            if command.strip():
                found.append((command, ""))
        else:
            command, output = found[-1]
            found[-1] = (command, f"{output}{line}\n")
    return found


def matches(expected: str, printed: str) -> bool:
    """Whether a text is as shown: `...` is any lines, spaces at ends of lines and lengths of rules are free."""
    lines = [line.rstrip() for line in _RULE.sub("───", expected).splitlines()]
    pattern = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line) + r"[ ]*\n" for line in lines)
    return re.fullmatch(pattern, _RULE.sub("───", printed)) is not None
