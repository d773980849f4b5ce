"""Tasks of lm-evaluation-harness (Gao et al.), by their names there: `lm_eval/arc_easy`.

`lm_eval/NAME` is a task, a group, a tag or a pattern with `*`, of the installed package or of a folder of YAML files
(`--data-dir`). The harness itself finds, reads and renders them; `lm_eval_task.py` turns what it gives into tasks.
Python functions that a YAML file names are run, and its templates are not sandboxed, as in the harness: a folder can
run any code.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phraseproof.core import Task
from phraseproof.errors import MissingExtraError, TaskError, UsageError
from phraseproof.tasks import TaskListing

if TYPE_CHECKING:
    from lm_eval.tasks import TaskManager

PREFIX = "lm_eval"


def listings() -> list[TaskListing]:
    """One line for all: the package has thousands of tasks, which are not searched here."""
    return [
        TaskListing(PREFIX, None, "", "lm-evaluation-harness", "lm_eval/NAME is its task, group or tag of that name")
    ]


def load(name: str, *, data_dir: Path | None, warn: Callable[[str], None]) -> list[Task]:
    """The tasks that `lm_eval/NAME` means.

    Args:
        name: of a task, a group or a tag, or a pattern with `*`.
        data_dir: a folder of the harness's YAML files, or one with such a folder `lm_eval`. What is not in it is
            looked for in the installed package.
        warn: receives what differs from the harness, and metrics that cannot be computed.

    Raises:
        MissingExtraError: the harness is not installed.
        UsageError: there is no such task, or no such folder.
        TaskError: its data cannot be loaded, or it cannot be expressed here; the reason is named.
    """
    wanted = name.partition("/")[2]
    if not wanted:
        raise UsageError("a task of lm-evaluation-harness has a name", expected=f"{PREFIX}/NAME", got=repr(name))
    try:
        import_module("lm_eval.tasks")
    except ImportError:
        raise MissingExtraError("Loading tasks of lm-evaluation-harness", extra="lm-eval", package="lm_eval") from None
    if data_dir is not None and not data_dir.is_dir():
        raise UsageError("no such folder", got=str(data_dir), where="--data-dir")
    from phraseproof.tasks.lm_eval_task import converted

    with _quietly():
        found = _loaded(wanted, None if data_dir is None else _folder(data_dir))
        return [
            converted(task, f"{PREFIX}/{_as_name(each)}", category=f"{PREFIX}/{_as_name(wanted)}", warn=warn)
            for each, task in found.items()
        ]


def _folder(data_dir: Path) -> Path:
    return data_dir / PREFIX if (data_dir / PREFIX).is_dir() else data_dir


def _as_name(name: str) -> str:
    """The harness's name with the characters that names of tasks may have here."""
    return re.sub(r"[^\w.+/-]+", "_", name.replace("::", "/"))


def _loaded(wanted: str, folder: Path | None) -> Mapping[str, Any]:
    """The harness's own task objects, by their names."""
    from lm_eval.tasks import TaskManager

    close: list[str] = []
    if folder is not None:
        manager = TaskManager(include_path=folder, include_defaults=False)
        if names := manager.match_tasks([wanted]):
            if _needs_package(manager, names):
                manager = TaskManager(include_path=folder)
            return _build(manager, names, wanted)
        close = get_close_matches(wanted, manager.all_tasks, n=1)
        _require_readable(folder, wanted)
    if (file := _installed_file(wanted)) is not None:
        return _build(TaskManager(include_defaults=False), [str(file)], wanted)
    manager = TaskManager()
    if names := manager.match_tasks([wanted]):
        return _build(manager, names, wanted)
    close = close or get_close_matches(wanted, manager.all_tasks, n=1)
    raise UsageError(
        f"lm-evaluation-harness has no task, group or tag {wanted!r}",
        where=None if folder is None else f"{folder} and the installed package",
        hint=f"Did you mean {f'{PREFIX}/{close[0]}'!r}?" if close else "`lm-eval ls tasks` lists those of the package",
    )


def _needs_package(manager: TaskManager, names: list[str]) -> bool:
    """Whether a group of a folder has members that the folder does not define."""
    members: list[object] = []
    for name in names:
        listed = (manager.task_index[name].cfg or {}).get("task")
        members += listed if isinstance(listed, list) else []
    return any(isinstance(member, str) and member not in manager.task_index for member in members)


def _installed_file(wanted: str) -> Path | None:
    """The file that defines a task of the package; `None` if that takes its index, which is built in 10 to 30 s."""
    import lm_eval.tasks

    folder = Path(lm_eval.tasks.__file__).parent
    line = re.compile(rf"^task:\s*[\"']?{re.escape(wanted)}[\"']?\s*(?:#.*)?$", re.MULTILINE)
    needle = wanted.encode()
    for file in sorted(folder.glob("**/*.yaml"), key=lambda path: path.as_posix()):
        if needle in file.read_bytes() and line.search(_text(file)):
            return file
    return None


def _build(manager: TaskManager, names: list[str], wanted: str) -> Mapping[str, Any]:
    try:
        return manager.load(names)["tasks"]
    except Exception as error:  # noqa: BLE001 - functions of the task's files and the data's library raise anything
        where_data_are = "If its data are on the hub, the hub must be reachable or the data in the cache of `datasets`"
        raise TaskError(
            f"lm-evaluation-harness cannot load {wanted!r}",
            got=_first_line(error),
            hint=where_data_are if isinstance(error, OSError) else None,
        ) from None


def _require_readable(folder: Path, wanted: str) -> None:
    """Report what is wrong with a task's file, which the harness leaves out of its index in silence."""
    from lm_eval.tasks import TaskManager

    for file in (*folder.glob("**/*.yaml"), *folder.glob("**/*.yml")):
        named = re.search(rf"^task:\s*[\"']?{re.escape(wanted)}[\"']?\s*(?:#.*)?$", _text(file), re.MULTILINE)
        if named or file.stem == wanted:
            try:
                TaskManager(include_defaults=False).load([str(file)])
            except Exception as error:  # noqa: BLE001 - as in `_build`
                raise TaskError(
                    "lm-evaluation-harness cannot read the file", got=_first_line(error), where=str(file)
                ) from None
            raise TaskError(
                f"the file does not define the task {wanted!r} for lm-evaluation-harness",
                expected=f"a file whose name ends in .yaml, with `task: {wanted}`",
                where=str(file),
            )


def _text(file: Path) -> str:
    return file.read_bytes().decode("utf-8", errors="replace")


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


@contextmanager
def _quietly() -> Generator[None]:
    """Leave out the harness's log and the progress of `datasets`, and compile each of its templates once."""
    import datasets
    from lm_eval import utils

    logger = logging.getLogger("lm_eval")
    level, environment = logger.level, utils.env
    shows_progress = datasets.is_progress_bar_enabled()
    logger.setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    compiled: dict[str, Any] = {}
    compile_template = environment.from_string

    def from_string(source: str) -> Any:
        if source not in compiled:
            compiled[source] = compile_template(source)
        return compiled[source]

    environment.from_string = from_string  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        del environment.from_string
        logger.setLevel(level)
        if shows_progress:
            datasets.enable_progress_bars()
