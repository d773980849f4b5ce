"""Runs the code blocks of a page, in this process, in the current folder or in a fresh one."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from unittest import mock

from docs.building.blocks import Block, blocks_of, commands, matches, page_named, pages

from phraseproof.cli import main

COLUMNS = "100"
"""The width of the terminal for which outputs are printed."""
REAL = ("smollm2", "scripted")
"""The model that blocks with the mark `real` need, and what is run in its place where it is not wanted."""

Compare = Callable[[Block, str, str, str], None]
"""What is done with the output of a command: block, command, what the block shows, what was printed."""


class PageError(Exception):
    """A page does not do what it shows."""


@dataclass
class PageRun:
    """The blocks of pages as they are run.

    Attributes:
        real: whether blocks with the mark `real` are run with the real model.
        compare: takes the output of each command that shows it, if it is the one that the page is about.
        names: what earlier Python blocks of the page defined.
    """

    real: bool = False
    compare: Compare | None = None
    names: dict[str, object] = field(default_factory=lambda: {"__name__": "page"})

    def run(self, page: Path) -> None:
        """Run the blocks of a page in the current folder, after those of the page that it continues.

        Raises:
            PageError: a command ends with another exit code than it should, or `compare` raised it.
        """
        with page_environment():
            blocks = blocks_of(page)
            if blocks and (before := blocks[0].mark("after")):
                shutil.copytree(_folder_after(page_named(before), real=self.real), ".", dirs_exist_ok=True)
            for block in blocks:
                self.run_block(block)
        if page in _continued_pages():
            _keep_folder(page, real=self.real)

    def run_block(self, block: Block) -> None:
        """Run one block, with what its marks ask for."""
        replace = [_halves(value) for name, value in block.marks if name == "with"]
        fake = block.mark("real") is not None and not self.real
        if fake:
            replace.append(REAL)
        for name, value in block.marks:
            if name == "files of":
                write_files(page_named(value))
            if name == "setup":
                run_command(_replaced(value, replace), block, code=0)
        _write_file(block)
        if not block.is_code or block.mark("not run"):
            return
        if block.language == "python":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(_replaced(block.text, replace), block.where, "exec"), self.names)  # noqa: S102
            return
        steps = commands(block.text)
        for number, (command, expected) in enumerate(steps):
            code = int(block.mark("exit") or 0) if number == len(steps) - 1 else 0
            # A fake model breaks no limit, or others.
            printed = run_command(_replaced(command, replace), block, code=None if fake and code else code)
            if self.compare is not None and block.shows_output and not block.mark("output varies") and not fake:
                self.compare(block, command, expected, printed)


_folders: dict[tuple[Path, bool], Path] = {}
"""Folders with the files and the evaluations of pages, by page and whether the real model was run."""


@cache
def _continued_pages() -> set[Path]:
    """The pages that others continue."""
    return {page_named(name) for page in pages() for block in blocks_of(page)[:1] if (name := block.mark("after"))}


def _keep_folder(page: Path, *, real: bool) -> Path:
    """A copy of the current folder, for pages that continue this one; once per process."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    shutil.copytree(".", folder.name, dirs_exist_ok=True)
    return _folders.setdefault((page, real), Path(folder.name))


def _folder_after(page: Path, *, real: bool) -> Path:
    """What running a page left; where it was not run in this process, its files and evaluations are made here."""
    if (page, real) in _folders:
        return _folders[page, real]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for block in blocks_of(page):
            if block.mark("file") or "phraseproof evaluate " in block.text:
                PageRun(real=real).run_block(block)
        return _keep_folder(page, real=real)


def check(block: Block, command: str, expected: str, printed: str) -> None:
    """Compare an output with what the page shows.

    Raises:
        PageError: they differ.
    """
    if not matches(expected, printed):
        raise PageError(f"{block.where}: {command}\nprinted:\n{printed}\nin the page:\n{expected}")


@contextlib.contextmanager
def page_environment() -> Generator[None]:
    """The environment in which pages are run: the width of the terminal, and no page of a CI job to write on."""
    with mock.patch.dict(os.environ, {"COLUMNS": COLUMNS}):
        os.environ.pop("GITHUB_STEP_SUMMARY", None)
        yield


def in_order(named: Iterable[Path]) -> list[Path]:
    """Pages in the order in which they take least time: those that others continue are first."""
    return sorted(named, key=lambda page: page not in _continued_pages())


def needs_real_model(page: Path) -> bool:
    """Whether outputs of a page are those of the real model."""
    return any(block.mark("real") is not None for block in blocks_of(page))


def write_files(page: Path) -> None:
    """Write the blocks of a page that are files into the current folder."""
    for block in blocks_of(page):
        _write_file(block)


def run_command(command: str, block: Block, *, code: int | None) -> str:
    """Run one `phraseproof` command in this process; returns what it printed, on stdout and stderr.

    Args:
        command: as a shell takes it, with `NAME=VALUE` before it and `> FILE` after it.
        block: for messages.
        code: the exit code that it must have; `None`: any.

    Raises:
        PageError: it is no `phraseproof` command, or has another exit code.
    """
    words = shlex.split(command, comments=True)
    environment: dict[str, str] = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment[name] = value
    if words[0] != "phraseproof":
        raise PageError(f"{block.where}: only phraseproof commands can be run: {command}")
    target = None
    if ">" in words:
        target = Path(words[words.index(">") + 1])
        words = words[: words.index(">")]
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    with (
        mock.patch.dict(os.environ, environment),
        mock.patch.object(sys, "argv", ["phraseproof"]),
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        found = _exit_code(words[1:])
    printed = raw.getvalue().decode("utf-8")
    if code not in (None, found):
        raise PageError(f"{block.where}: {command}\nexit code {found}\n{printed}")
    if target is not None:
        target.write_text(printed, encoding="utf-8")
        return ""
    return printed


def _exit_code(arguments: list[str]) -> object:
    try:
        main(arguments)
    except SystemExit as stopped:
        return stopped.code


def _write_file(block: Block) -> None:
    if file := block.mark("file"):
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(block.text, encoding="utf-8")


def _halves(mark: str) -> tuple[str, str]:
    """The two sides of the middle `=`: `limit=10=limit=3` replaces `limit=10` by `limit=3`."""
    parts = mark.split("=")
    middle = len(parts) // 2
    return "=".join(parts[:middle]), "=".join(parts[middle:])


def _replaced(text: str, pairs: list[tuple[str, str]]) -> str:
    for old, new in pairs:
        text = text.replace(old, new)
    return text
