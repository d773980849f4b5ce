"""Collections of wordings: the shipped ones, the user's own, and those of installed packages.

A file's fields are in collection_schema.py, and collection_file.py reads one.
"""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path

from phraseproof.core import Instruction, Task
from phraseproof.errors import FileError, InstructionError, UsageError
from phraseproof.installed import entry_points
from phraseproof.instructions.collection_file import read_file, require_new_id
from phraseproof.instructions.collection_schema import TASK_DESIGNER, json_schema

__all__ = [
    "ENTRY_POINTS",
    "FAMILIES_FILE",
    "OWN_FOLDER",
    "OWN_FOLDER_VARIABLE",
    "TASK_DESIGNER",
    "Collection",
    "instructions_for",
    "json_schema",
    "load_collection",
    "own_collections",
    "own_folder",
    "shipped_collections",
]

ENTRY_POINTS = "phraseproof.instructions"
"""The entry-point group through which an installed package ships collections: name -> path of a file or folder."""

OWN_FOLDER = "instructions"
"""Where a user's own and imported collections are found by name: `instructions/NAME.yaml` or `instructions/NAME/`."""
FAMILIES_FILE = "families.yaml"
"""The one file in that folder that is not a collection (families.py)."""
OWN_FOLDER_VARIABLE = "PHRASEPROOF_INSTRUCTIONS"
"""The environment variable that names another folder than `instructions` in the working directory."""

_SHIPPED = Path(__file__).parent / "data"
_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Collection:
    """Wordings that belong together.

    Attributes:
        name: the first part of its wordings' names.
        instructions: the wordings, in the order of the file.
        path: their file or folder; None for `task_designer`.
    """

    name: str
    instructions: tuple[Instruction, ...]
    path: Path | None = None


def load_collection(name_or_path: str) -> Collection:
    """Load a collection by its name (shipped, from an installed package, or in `own_folder()`), or by its path.

    A path is that of a YAML file, or of a folder of them. All templates are compiled, so that a malformed one is found
    here and not in the middle of a run.

    Args:
        name_or_path: a collection's name, or the path of a YAML file or of a folder of them.

    Raises:
        UsageError: no collection has this name.
        FileError: the file cannot be read, or is not a collection.
        InstructionError: a template is malformed.
    """
    if name_or_path == TASK_DESIGNER:
        return Collection(TASK_DESIGNER, ())
    path = Path(name_or_path)
    looks_like_path = path.suffix.lower() in _SUFFIXES or len(path.parts) > 1
    if not looks_like_path:
        known = _known()
        if name_or_path in known:
            return _read(_path_of(name_or_path, known[name_or_path]))
        own = own_collections()
        if name_or_path in own:
            return _read(own[name_or_path])
        if not path.exists():
            names = [*sorted(known), *sorted(own), TASK_DESIGNER]
            files = [f"{name_or_path}{end}" for end in (".yaml", ".yml") if Path(f"{name_or_path}{end}").is_file()]
            close = files or difflib.get_close_matches(name_or_path, names, n=1)
            raise UsageError(
                f"no collection of wordings is called {name_or_path!r}",
                expected=f"one of: {', '.join(names)}, or a path to a YAML file",
                hint=f"Did you mean {close[0]!r}?" if close else None,
            )
    return _read(path)


def shipped_collections() -> list[str]:
    """The names of the collections that come with phraseproof and with installed packages, sorted."""
    return sorted(_known())


def own_folder() -> Path:
    """The folder of a user's own and imported collections; it may be absent."""
    return Path(os.environ.get(OWN_FOLDER_VARIABLE) or OWN_FOLDER)


def own_collections() -> dict[str, Path]:
    """The collections in `own_folder()`: names of YAML files and of folders of them, without reading any.

    Raises:
        UsageError: a file and a folder have the same name.
    """
    folder = own_folder()
    own: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name == FAMILIES_FILE:
            continue
        if path.is_dir() and any(file.suffix.lower() in _SUFFIXES for file in path.iterdir()):
            name = path.name
        elif path.is_file() and path.suffix.lower() in _SUFFIXES:
            name = path.stem
        else:
            continue
        if name in own:
            raise UsageError(f"{own[name]} and {path} have the same name", hint="Rename one, or give its path")
        own[name] = path
    return own


def instructions_for(collection: Collection, task: Task) -> tuple[Instruction, ...]:
    """The wordings of `collection` that serve `task`, in the collection's order.

    A wording serves a task if its `for` names the task, one of its parents (`mmlu` for `mmlu/anatomy`), its category
    or its kind, or is absent. A wording with `fallback` serves only tasks for which the collection has no other, so
    that one collection can hold general wordings and wordings for single tasks (paper, Table 2: MMLU is asked in
    general wordings, each BIG-bench task in its own). The collection `task_designer` gives the task's own.
    """
    if collection.name == TASK_DESIGNER:
        return task.instructions
    parts = task.name.split("/")
    names = {"/".join(parts[:end]) for end in range(1, len(parts) + 1)} | {task.category, task.kind.value}
    serving = tuple(each for each in collection.instructions if not each.serves or not names.isdisjoint(each.serves))
    return tuple(each for each in serving if not each.fallback) or serving


def _known() -> dict[str, Path | EntryPoint]:
    known: dict[str, Path | EntryPoint] = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    # Shipped names come last, so that no installed package can replace a shipped collection.
    for path in _SHIPPED.iterdir():
        if path.is_dir() or path.suffix in _SUFFIXES:
            known[path.stem] = path
    return known


def _path_of(name: str, known: Path | EntryPoint) -> Path:
    if isinstance(known, Path):
        return known
    try:
        return Path(known.load())
    except (ImportError, AttributeError, TypeError) as error:
        raise InstructionError(
            f"the installed collection {name!r} cannot be found: {error}",
            where=f"entry point {ENTRY_POINTS}: {known.value}",
            hint="The entry point must name a variable that holds the path of a YAML file or a folder of them",
        ) from None


def _read(path: Path) -> Collection:
    if not path.is_dir():
        content = read_file(path)
        return Collection(content.name, content.instructions, path)
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise FileError("the folder holds no YAML file", where=str(path))
    contents = [read_file(file) for file in files]
    first_use: dict[str, str | None] = {}
    for file, content in zip(files, contents, strict=True):
        if content.name != contents[0].name:
            raise FileError(
                f"the folder holds two collections, {contents[0].name!r} and {content.name!r}",
                where=str(file),
                hint="Give all its files the same name, or name one file",
            )
        for wording in content.instructions:
            require_new_id(wording, first_use)
    return Collection(contents[0].name, tuple(each for content in contents for each in content.instructions), path)
