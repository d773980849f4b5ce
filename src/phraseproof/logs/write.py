"""Writes imported cells as a run folder."""

from __future__ import annotations

import json
import platform
import shlex
import sys
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from phraseproof.core import Cell, Kind, Outcome
from phraseproof.core.classes import shared_options
from phraseproof.errors import RunError
from phraseproof.identity import content_hash, file_hash
from phraseproof.logs.assemble import Assembled, ImportedCell
from phraseproof.logs.cells import Log
from phraseproof.store.queries import Run, load_run
from phraseproof.store.run_file import IMPORTED, IMPORTED_DATA, IMPORTED_FROM, RUN_FILE, RunContent, read_run_file
from phraseproof.store.schema import to_table
from phraseproof.store.usage import Usage
from phraseproof.store.writer import RunStore
from phraseproof.version import __version__


class WrittenRun(NamedTuple):
    """A run folder, and how many of its earlier cells have other outcomes now."""

    run: Run
    replaced: int


def write_imported(found: Assembled, log: Log, source: str, out: Path, *, parameters: int | None = None) -> WrittenRun:
    """Store outcomes of another program as a run, or add them to an imported run of the same model.

    Args:
        found: the cells.
        log: what they were read from; its files and their checksums are recorded.
        source: the name of the reader.
        out: the run folder.
        parameters: the number of the model's parameters, where the log does not say it.

    Raises:
        RunError: `out` holds a run of something else, these wordings in other groups, or these tasks with other data or
            settings, or cannot be written.
    """
    first = found.cells[0].cell
    settings: RunContent = {
        "model": {"name": found.model, "adapter": None, "settings": dict(found.settings)},
        "scoring": first.scoring,
        "metric": first.metric,
        IMPORTED: source,
    }
    store = RunStore(out, settings)
    cells = [each.cell for each in found.cells]
    content: RunContent = read_run_file(out) if (out / RUN_FILE).exists() else {}
    before = content.get("groups", {})
    stored = [Cell(**entry) for entry in content.get("cells", ())]
    _require_same_groups(cells, stored, out)
    data = _same_data(found.cells, stored, content.get(IMPORTED_DATA, {}), out)
    record: dict[str, RunContent] = {
        "groups": before | {group: _group(found.cells, group) for group in dict.fromkeys(cell.group for cell in cells)},
        "tasks": {name: _task(found.cells, name, log.tool) for name in dict.fromkeys(cell.task for cell in cells)},
        "instructions": {
            f"{each.cell.task}: {each.cell.instruction}": {"text": each.logged.text} for each in found.cells
        },
        "environment": {
            "command": shlex.join(sys.argv),
            "python": platform.python_version(),
            "phraseproof": __version__,
        },
        IMPORTED_FROM: {
            str(path): {"tool": log.tool, "bytes": path.stat().st_size, "checksum": file_hash(path)}
            for path in log.files
        },
        IMPORTED_DATA: data,
    }
    size = log.parameters.get(found.model) if parameters is None else parameters
    if size is not None:
        record["model"] = {"parameters": size}
    edited = store.register(cells, record)
    usage = json.dumps(asdict(Usage()))
    with store.one_at_a_time(IMPORTED):
        missing = set(store.missing(cells)[0])
        store.write_tables(
            (each.cell, to_table(each.cell, list(each.logged.outcomes), usage))
            for each in found.cells
            if each.cell in missing
        )
        store.finish(0)
    return WrittenRun(load_run(out), len(edited.replaced))


def _require_same_groups(cells: Sequence[Cell], stored: Sequence[Cell], out: Path) -> None:
    """Refuse outcomes that the folder holds in another group: tables would count them twice."""
    known = {(cell.task, cell.instruction): cell.group for cell in stored}
    for cell in cells:
        group = known.get((cell.task, cell.instruction), cell.group)
        if group != cell.group:
            raise RunError(
                f"the folder holds the wording {cell.instruction!r} of {cell.task} in another group",
                expected=group,
                got=cell.group,
                where=str(out),
                hint="Give another --out, or the same --group",
            )


def _same_data(
    cells: Sequence[ImportedCell], stored: Sequence[Cell], before: RunContent, out: Path
) -> dict[str, RunContent]:
    """Settings and data by task, with those of the wordings that stay; refuse others, as between files of a command."""
    planned = {_place(each.cell) for each in cells}
    staying = {cell.task for cell in stored if _place(cell) not in planned}
    found = {task: before[task] for task in staying if task in before}
    for each in cells:
        task, logged = each.cell.task, each.logged
        settings, examples = dict(logged.task_settings), {name: _hash_of(it) for name, it in logged.data.items()}
        known = found.setdefault(task, {"settings": settings, "examples": {}})
        other = next((name for name in examples if known["examples"].get(name, examples[name]) != examples[name]), None)
        if known["settings"] != settings or other is not None:
            raise RunError(
                f"the folder holds wordings of {task} with other "
                + ("settings" if other is None else f"data of the example {other!r}"),
                expected=str(known["settings"]) if other is None else None,
                got=str(settings) if other is None else None,
                where=str(out),
                hint="Give another --out, and compare the two runs",
            )
        found[task] = {"settings": settings, "examples": known["examples"] | examples}
    return found


@lru_cache(maxsize=1 << 14)
def _hash_of(data: str) -> str:
    """Remembered, as the same data come under every wording, and labels with many examples."""
    return content_hash(data)


def _place(cell: Cell) -> tuple[object, ...]:
    return (
        cell.task, cell.instruction, cell.num_fewshot, cell.fewshot_seed, cell.repeat, cell.scoring, cell.metric
    )  # fmt: skip


def _group(cells: Sequence[ImportedCell], group: str) -> Mapping[str, int]:
    return {"num_wordings": len({each.cell.instruction for each in cells if each.cell.group == group})}


def _task(cells: Sequence[ImportedCell], name: str, tool: str) -> RunContent:
    logged = [each for each in cells if each.cell.task == name]
    examples: set[str] = set()
    has_options = True

    def options_of(outcomes: Collection[Outcome]) -> Iterator[Sequence[str]]:
        nonlocal has_options
        for outcome in outcomes:
            examples.add(outcome.example_id)
            has_options = has_options and bool(outcome.options)
            yield outcome.options

    are_shared = True
    for each in logged:
        options = options_of(each.logged.outcomes)
        are_shared = bool(shared_options(options)) and are_shared
        deque(options, maxlen=0)  # the rest, of which only the examples count
    kind = (Kind.MULTI_CLASS if are_shared else Kind.MULTIPLE_CHOICE) if has_options else Kind.FREE_TEXT
    return {
        "kind": kind,
        "category": logged[0].cell.category,
        "source": f"imported from {tool}",
        "num_examples": len(examples),
    }
