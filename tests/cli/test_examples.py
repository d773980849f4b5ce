"""The examples at the ends of help texts: every command has one, its options can parse it, and what it names exists."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from phraseproof.cli import app
from phraseproof.cli.examples import EXAMPLES
from phraseproof.instructions.collections import instructions_for, load_collection
from phraseproof.instructions.importers import SOURCES
from phraseproof.models.pocket import folder
from phraseproof.tasks import known_prefixes, load_tasks

# Parameters, or command and parameter, by what their values name. A name that ends in .yaml is the reader's own file.
TASKS = {"task", "tasks", "tasks show name"}
COLLECTIONS = {
    *("observed", "unobserved", "reference", "paraphrases", "negations", "instructions", "collection"),
    *("instructions show name", "instructions stats names"),
}
HUB_MODELS = {"google/flan-t5-base", "google/flan-t5-xl"}


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


def named(parameters: set[str]) -> list[tuple[str, str]]:
    """(command, name) for every name that an example gives to one of the `parameters`."""
    found: set[tuple[str, str]] = set()
    for command, examples in EXAMPLES.items():
        path = tuple(command.split())
        for example in examples:
            words = shlex.split(example.partition(" > ")[0])[len(path) + 1 :]
            for parameter, value in COMMANDS[path].make_context(command, words).params.items():
                if value and not isinstance(value, Path) and parameters & {parameter, f"{command} {parameter}"}:
                    texts = [value] if isinstance(value, str) else value
                    found |= {(command, name) for text in texts for name in text.split(",")}
    return sorted((command, name) for command, name in found if not name.endswith(".yaml"))


@pytest.mark.parametrize(("command", "name"), named(TASKS))
def test_tasks_of_examples_exist(command: str, name: str) -> None:
    if name.startswith(("pocket", "everyday")):
        assert load_tasks([name])
    else:  # its examples are on the hub
        assert name in known_prefixes()


@pytest.mark.parametrize(("command", "name"), named(COLLECTIONS))
def test_collections_of_examples_exist(command: str, name: str) -> None:
    if name != "auto":
        assert load_collection(name.rpartition("=")[2]).instructions


@pytest.mark.parametrize(
    ("command", "name"), named({f"{command} model" for command in EXAMPLES} - {"import-results model"})
)
def test_models_of_examples_exist(command: str, name: str) -> None:
    assert name in HUB_MODELS | {"smollm2"} or folder(name).is_dir()


def test_the_wordings_that_an_example_shows_serve_its_task() -> None:
    words = shlex.split(EXAMPLES["instructions show"][0])
    (task,) = load_tasks([words[words.index("--task") + 1]])
    assert instructions_for(load_collection(words[3]), task)


def test_the_source_of_an_example_exists() -> None:
    assert shlex.split(EXAMPLES["instructions import"][0])[3] in SOURCES
