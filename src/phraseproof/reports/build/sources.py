"""What a page is made from: run folders, and the folders of trainings and of searches among methods."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

from phraseproof.errors import RunError
from phraseproof.files import parse_json, read_bytes, read_json
from phraseproof.reports.build.searches import SEARCH_FILE, SearchFolder, read_search
from phraseproof.store.local_copy import folder_to_read
from phraseproof.store.queries import Run, load_run

TRAINING_LOG = "training.jsonl"


class LoggedTraining(NamedTuple):
    """A training's log.

    Attributes:
        steps: the lines of `training.jsonl`.
        record: its `phraseproof.json`, or empty.
    """

    path: Path
    steps: tuple[dict[str, object], ...]
    record: dict[str, object]


class Sources(NamedTuple):
    """What the folders that were named hold."""

    runs: tuple[Run, ...]
    trainings: tuple[LoggedTraining, ...]
    searches: tuple[SearchFolder, ...] = ()


def open_sources(paths: Sequence[Path], *, scoring: str | None = None, metric: str | None = None) -> Sources:
    """Open runs, trainings and searches.

    A folder that `harden` wrote is opened as the runs and the training inside it, one of `harden --methods` as a
    search.

    Args:
        scoring: the scorer under which runs are read; each run's first by default.
        metric: the metric, likewise.

    Raises:
        RunError: a folder that is none of these, or a run without outcomes of that scorer or metric.
    """
    runs: list[Run] = []
    trainings: list[LoggedTraining] = []
    searches: list[SearchFolder] = []
    for path in map(folder_to_read, paths):
        inside = [path / name for name in ("base", "hardened")]
        if not (path / "run.json").exists() and all((folder / "run.json").exists() for folder in inside):
            runs += map(load_run, inside)
            trainings += [read_training(folder) for folder in _trained(path)]
        elif (path / SEARCH_FILE).exists() and not (path / "run.json").exists():
            searches.append(read_search(path))
        elif (path / TRAINING_LOG).exists() and not (path / "run.json").exists():
            trainings.append(read_training(path))
        else:
            runs.append(load_run(path))
    return Sources(tuple(run.select(scoring, metric) for run in runs), tuple(trainings), tuple(searches))


def read_training(path: Path) -> LoggedTraining:
    """The log of a training.

    Raises:
        RunError: the folder has no log, or an empty one.
    """
    log = path / TRAINING_LOG
    try:
        lines = read_bytes(log).decode(errors="replace").splitlines()
    except OSError as error:
        hint = "Give the folder that `align` wrote with --out"
        raise RunError("no training was logged there", got=error.strerror, where=str(log), hint=hint) from None
    steps: list[dict[str, object]] = []
    for line in lines:
        try:
            step = parse_json(line)
        except ValueError:  # a kill cut the last line short
            continue
        if isinstance(step, dict):
            steps.append(cast("dict[str, object]", step))
    steps = [step for step in steps if isinstance(step.get("step"), int)]
    if not steps:
        raise RunError("the log of the training is empty", where=str(log))
    record: object = None
    try:
        record = read_json(path / "phraseproof.json")
    except (OSError, ValueError):
        record = None
    return LoggedTraining(path, tuple(steps), cast("dict[str, object]", record) if isinstance(record, dict) else {})


def _trained(path: Path) -> list[Path]:
    return sorted(log.parent for log in path.glob(f"*/{TRAINING_LOG}"))
