"""Code blocks of the documentation, and how to run them.

A block is run by what it is: a `python` block is executed, and a block whose first line begins with `$ ` or
`phraseproof ` holds commands. After `$ ` commands the block shows what they print, which is compared; a line `...`
stands for any number of lines. HTML comments on the lines right above a block say what a reader need not see:

    <!-- file: tickets.csv -->           the block is the content of a file
    <!-- files of: README.md -->         write the files of a page, or of this one, before the block
    <!-- setup: phraseproof ... -->      a command to run before the block
    <!-- with: google/flan-t5-base=scripted -->    replace a text in the commands: the model is on the hub
    <!-- exit: 3 -->                     the exit code of the block's last command; 0 unless given
    <!-- output varies: REASON -->       the printed text is not compared
    <!-- not run: REASON -->             the block needs the hub, a server, or minutes
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from phraseproof.cli import main

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"((?:^<!--[^\n]*-->\n)*)^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_RULE = re.compile("─{3,}")
_MARK = re.compile(r"^<!-- ([\w ]+?): (.*) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block with the marks above it.

    Attributes:
        page: the file's name.
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
    def where(self) -> str:
        """The place, for messages."""
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> list[Block]:
    """The code blocks of a page, in their order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(
            path.name,
            text.count("\n", 0, found.start(2)) + 1,
            found[2],
            found[3],
            [(mark[1], mark[2]) for mark in _MARK.finditer(found[1])],
        )
        for found in _BLOCK.finditer(text)
    ]


def run_block(block: Block, names: dict[str, object]) -> None:
    """Run a block in the current folder.

    Args:
        block: the block.
        names: the names that earlier Python blocks of the page defined; new ones are added.
    """
    replace = [_halves(value) for name, value in block.marks if name == "with"]
    for name, value in block.marks:
        if name == "files of":
            write_files(page_named(value))
        if name == "setup":
            _run_command(value, block, code=0)
    _write_file(block)
    if not block.is_code or block.mark("not run"):
        return
    if block.language == "python":
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(_replaced(block.text, replace), block.where, "exec"), names)
        return
    steps = commands(block.text)
    for number, (command, expected) in enumerate(steps):
        code = int(block.mark("exit") or 0) if number == len(steps) - 1 else 0
        printed = _run_command(_replaced(command, replace), block, code=code)
        if block.text.startswith("$ ") and not block.mark("output varies"):
            assert matches(expected, printed), (
                f"{block.where}: {command}\nprinted:\n{printed}\nin the page:\n{expected}"
            )


def page_named(name: str) -> Path:
    """README.md, or a page of docs/."""
    return ROOT / name if name == "README.md" else ROOT / "docs" / name


def write_files(page: Path) -> None:
    """Write the blocks of a page that are files into the current folder."""
    for block in blocks_of(page):
        _write_file(block)


def _write_file(block: Block) -> None:
    if file := block.mark("file"):
        Path(file).write_text(block.text, encoding="utf-8")


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


def _halves(mark: str) -> tuple[str, str]:
    """The two sides of the middle `=`: `limit=10=limit=3` replaces `limit=10` by `limit=3`."""
    parts = mark.split("=")
    middle = len(parts) // 2
    return "=".join(parts[:middle]), "=".join(parts[middle:])


def _replaced(text: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def _run_command(command: str, block: Block, *, code: int) -> str:
    """Run one `phraseproof` command in this process; returns what it printed, on stdout and stderr."""
    words = shlex.split(command, comments=True)
    environment: dict[str, str] = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    assert words[0] == "phraseproof", f"{block.where}: only phraseproof commands can be run: {command}"
    target = None
    if ">" in words:
        target = Path(words[words.index(">") + 1])
        words = words[: words.index(">")]
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        for name, value in environment.items():
            patch.setitem(os.environ, name, value)
        patch.setattr(sys, "argv", ["phraseproof"])
        with pytest.raises(SystemExit) as stopped:
            main(words[1:])
    printed = raw.getvalue().decode("utf-8")
    assert stopped.value.code == code, f"{block.where}: {command}\nexit code {stopped.value.code}\n{printed}"
    if target is not None:
        target.write_text(printed, encoding="utf-8")
        return ""
    return printed
