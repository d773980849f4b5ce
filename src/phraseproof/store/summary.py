"""What a folder of runs holds: its run folders, and the contents of each without reading an outcome."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from phraseproof.store.queries import Run
from phraseproof.store.run_file import RUN_FILE
from phraseproof.store.urls import url_of


@dataclass(frozen=True)
class RunSummary:
    """What `run.json` and the names of the stored cells say about a run, without reading an outcome.

    Attributes:
        path: the run folder, or its URL.
        model: the model's name, and its adapter if it has one.
        tasks: the number of tasks.
        wordings: the number of wordings over all groups.
        groups: the names of the groups of wordings.
        cells: the number of requested cells, under all scorings; 0 for imported accuracies.
        done: cells that are stored.
        failed: missing cells whose computation failed.
        scorings: how options are scored, e.g. `loglikelihood`; `published` for imported accuracies.
        updated: when `run.json` was last written, as ISO 8601 in UTC.
    """

    path: str
    model: str
    tasks: int
    wordings: int
    groups: tuple[str, ...]
    cells: int
    done: int
    failed: int
    scorings: tuple[str, ...]
    updated: str


def run_folders(folder: Path) -> Iterator[Path]:
    """Folders that hold a `run.json`, or URLs of runs, sorted. Folders inside a run folder belong to that run."""
    if (url := url_of(folder)) is not None:
        from phraseproof.store.remote.mirror import find_runs

        yield from map(Path, find_runs(url))
        return

    for path, below, files in os.walk(folder):
        below.sort()
        if RUN_FILE in files:
            below.clear()
            yield Path(path)
        else:
            below[:] = [name for name in below if not name.startswith(".")]


def summarize_run(run: Run) -> RunSummary:
    """What a run holds.

    Raises:
        RunError: `run.json` lacks a section that every version writes.
    """
    keys = [(each.task, each.instruction) for each in (*run.all_cells, *run.accuracies)]
    cells = len(run.all_cells)
    scored = [run.select(name) for name in run.scorings or [None]]
    views = [view.select(view.chosen_scoring, name) for view in scored for name in view.metrics or [None]]
    done = cells - sum(len(view.missing) for view in views)
    updated = datetime.fromtimestamp((run.path / RUN_FILE).stat().st_mtime, tz=UTC)
    return RunSummary(
        path=run.name,
        model=_model_name(run),
        tasks=len({task for task, _ in keys}),
        wordings=len({instruction for _, instruction in keys}),
        groups=run.groups,
        cells=cells,
        done=done,
        failed=sum(len(view.failures) for view in views),
        scorings=run.scorings or (run.scoring,),
        updated=updated.isoformat(timespec="seconds"),
    )


def _model_name(run: Run) -> str:
    model = run.settings.get("model", {})
    adapter = model.get("adapter")
    return f"{model.get('name', '?')}{' with an adapter' if adapter else ''}"
