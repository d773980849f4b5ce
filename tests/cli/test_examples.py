"""The examples at the ends of help texts: every command has one, and its own options can parse it."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer.main

from phraseproof.cli import app
from phraseproof.cli.examples import EXAMPLES


def commands(command: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Every command by its words, the root's being none."""
    found = {path: command}
    for name, member in getattr(command, "commands", {}).items():
        found |= commands(member, (*path, name))
    return found


COMMANDS = commands(typer.main.get_command(app))


@pytest.mark.parametrize("path", [path for path in COMMANDS if not hasattr(COMMANDS[path], "commands")], ids=" ".join)
def test_every_command_has_examples_that_its_options_can_parse(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    examples = EXAMPLES[" ".join(path)]
    for example in examples:
        words = shlex.split(example.partition(" > ")[0])
        assert tuple(words[: len(path) + 1]) == ("phraseproof", *path)
        assert example in command.epilog
        command.make_context(" ".join(path), words[len(path) + 1 :])


def test_no_example_belongs_to_a_command_that_is_gone() -> None:
    assert set(EXAMPLES) - {"config", "schema"} <= {" ".join(path) for path in COMMANDS}
