"""Tasks: named examples with an answer space, from built-in benchmarks or from a user's own files.

A source is a module with `load` and `listings` (the `TaskSource` protocol), found by the first part of a task's name
and imported only when it is used. Adding one is one new file and one line in `SOURCES`; another package adds one
through the entry-point group `phraseproof.tasks`, whose entry's name is the first part of its tasks' names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from phraseproof.core import Kind, Task
from phraseproof.errors import TaskError, UsageError
from phraseproof.installed import entry_points

SOURCES = {
    "mmlu": "phraseproof.tasks.mmlu",
    "bbl": "phraseproof.tasks.bigbench",
    "pocket": "phraseproof.tasks.pocket",
    "everyday": "phraseproof.tasks.everyday",
    "cnn_dailymail": "phraseproof.tasks.text_benchmarks",
    "xsum": "phraseproof.tasks.text_benchmarks",
    "mediasum": "phraseproof.tasks.text_benchmarks",
    "wmt19_fr_de": "phraseproof.tasks.text_benchmarks",
    "lm_eval": "phraseproof.tasks.lm_eval",
}
"""First part of a task's name -> the module that loads it."""

ENTRY_POINT_GROUP = "phraseproof.tasks"


class TaskListing(NamedTuple):
    """One entry of the catalogue.

    Attributes:
        name: the name to pass to `load_tasks`.
        kind: the form of the answers; `None` for a name that means tasks of several kinds.
        category: the row of a summary table the task is averaged into; empty where `kind` is `None`.
        source: the hub data set it comes from unless a local copy is given.
        about: the subject of the task, in a few words.
    """

    name: str
    kind: Kind | None
    category: str
    source: str
    about: str


class TaskSource(Protocol):
    """What a task module offers."""

    def load(self, name: str, *, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
        """The tasks that `name` means, read from `data_dir` if given, else from the hub."""
        ...

    def listings(self) -> list[TaskListing]:
        """Every name that `load` knows, without reading data."""
        ...


def _be_silent(_message: str) -> None:
    """Ignore a warning."""


def load_tasks(
    names: Sequence[str], *, data_dir: Path | None = None, warn: Callable[[str], None] = _be_silent
) -> list[Task]:
    """Load tasks by name or from users' files, in the order asked.

    Args:
        names: built-in names (`mmlu`, `mmlu/anatomy`, `mmlu/*`, `bbl`, `bbl/winowhy`, ...) or paths of YAML files.
        data_dir: a local copy of the benchmarks in their published file formats; `None` loads from the hub.
        warn: called with one line for every problem that does not stop the loading.

    Raises:
        UsageError: an unknown name, or two tasks of the same name.
        TaskError, FileError: data that is absent or cannot be used.
    """
    tasks: list[Task] = []
    asked_as: dict[str, str] = {}
    for name in names:
        for task in _load(name, data_dir, warn):
            if task.name in asked_as:
                raise UsageError(
                    f"the task {task.name!r} is requested twice",
                    got=f"{asked_as[task.name]!r} and {name!r}",
                    hint="Name every task once; a user's task cannot have a built-in task's name",
                )
            asked_as[task.name] = name
            tasks.append(task)
    return tasks


def catalogue() -> list[TaskListing]:
    """Every built-in task, without loading data."""
    # A module may serve several prefixes, and lists the tasks of all of them.
    return list(dict.fromkeys(listing for prefix in known_prefixes() for listing in _source(prefix).listings()))


def known_prefixes() -> list[str]:
    """The first parts of task names, built-in ones first."""
    return [*SOURCES, *sorted(set(_entry_points()) - set(SOURCES))]


def _load(name: str, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
    prefix = name.split("/", 1)[0]
    is_yaml = name.endswith((".yaml", ".yml"))
    if not is_yaml and prefix in known_prefixes():
        return _source(prefix).load(name, data_dir=data_dir, warn=warn)
    if not is_yaml and not Path(name).is_file():
        neighbour = next((f"{name}{end}" for end in (".yaml", ".yml") if Path(f"{name}{end}").is_file()), None)
        if neighbour is None:
            raise _unknown(name)
        name = neighbour
    # Imported here: built-in tasks need neither YAML nor pydantic.
    from phraseproof.tasks import user_files

    task = user_files.load_file(Path(name))
    if task.name.split("/", 1)[0] in known_prefixes():
        raise TaskError(
            f"the name {task.name!r} belongs to a built-in task", where=name, hint="Give the task another name"
        )
    return [task]


def _unknown(name: str) -> UsageError:
    known = [listing.name for listing in catalogue()]
    close = get_close_matches(name, known, n=1) or get_close_matches(f"bbl/{name}", known, n=1, cutoff=0.8)
    groups = [listing for listing in known if "/" not in listing or listing.endswith("/*")]
    return UsageError(
        f"unknown task {name!r}",
        expected=f"{', '.join(groups)}, one of their parts, or a YAML file",
        hint=f"Did you mean {close[0]!r}?" if close else "`phraseproof tasks list` names them all",
    )


def _source(prefix: str) -> TaskSource:
    if prefix in SOURCES:
        return cast(TaskSource, import_module(SOURCES[prefix]))
    return cast(TaskSource, _entry_points()[prefix].load())


def _entry_points() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
