"""Runs whose cells differ, what they hold, and processes that are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phraseproof.core import Cell
from phraseproof.store.queries import load_run
from phraseproof.store.writer import RunStore, Usage
from support.stored_cells import SETTINGS, make_cell, make_outcomes


def different_cells(count: int, **changes: Any) -> list[Cell]:
    return [make_cell(f"{n:032x}", instruction=f"mine/{n}", **changes) for n in range(count)]


def different_run(path: Path, cells: list[Cell]) -> RunStore:
    """A finished run: wording n has n % 3 right answers of 2."""
    store = RunStore(path, SETTINGS)
    store.register(cells, {"instructions": {cell.instruction: {"text": "Say A."} for cell in cells}})
    for cell in cells:
        write_cell(store, cell)
    store.finish(0)
    return store


def write_cell(store: RunStore, cell: Cell) -> None:
    number = int(cell.instruction.partition("/")[2])
    store.write(cell, make_outcomes(number % 3), Usage(number, 2.0, 30, 10))


def content_of(path: Path) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """All outcomes of a run and its scores by wording, as each way of reading gives them."""
    run = load_run(path)
    rows = [row for _, table in run.read_cells(["instruction", "example_id", "score"]) for row in table.to_pylist()]
    order = "SELECT instruction, example_id, score FROM outcomes ORDER BY instruction, example_id"
    queried = run.query_rows(order)
    assert sorted(rows, key=lambda row: (row["instruction"], row["example_id"])) == queried
    return queried, {score.instruction: score.mean_score for score in run.wording_scores()}


def own_files(path: Path) -> int:
    return len([each for each in path.glob("cells/*/*/*.parquet") if each.parent.name != "packed"])


def packs(path: Path) -> list[Path]:
    return sorted(path.glob("cells/*/packed/packed-*.parquet"))


def in_a_fork(work: Callable[[], None]) -> int:
    """Run something in a copy of this process; its exit code, negative for the signal that ended it."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    try:
        work()
    except BaseException:  # noqa: BLE001 - nothing of the test may run on in the copy
        os._exit(1)
    os._exit(0)


def kill_at(number: int, names: list[tuple[Any, str]]) -> None:
    """Kill this process before the call with this number, from 1, of any of these functions."""
    left = [number]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return counting

    for owner, name in names:
        setattr(owner, name, counted(getattr(owner, name)))
