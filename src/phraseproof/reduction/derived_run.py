"""Writes a derived run: the cells of a run with other log-probabilities of options, and what follows from them."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from phraseproof.analysis.grids import Floats
from phraseproof.analysis.option_values import Flags, OptionValues, choices
from phraseproof.calibration.bias import log_total
from phraseproof.core import Cell
from phraseproof.errors import RunError, UsageError
from phraseproof.identity import SCHEMA_VERSION
from phraseproof.scoring.accuracy import METRIC as ACCURACY
from phraseproof.scoring.calibrated import PLUS
from phraseproof.scoring.registry import metric
from phraseproof.store.columns import flat_values, lists_of, number_column, typed_column
from phraseproof.store.derivation import derived_cell
from phraseproof.store.queries import Run, load_run
from phraseproof.store.run_file import CALIBRATION, DERIVED_FROM, RunContent, run_checksum_of
from phraseproof.store.schema import COLUMNS, IDENTITY_KEY, SCHEMA_KEY, USAGE_KEY, to_outcomes
from phraseproof.store.urls import url_of
from phraseproof.store.usage import Usage
from phraseproof.store.writer import RunStore
from phraseproof.version import __version__

_SECTIONS = ("groups", "tasks", "instructions", "environment", "model")
"""The sections of `run.json` that hold for a derived run as they are."""


class Derivation(NamedTuple):
    """How a run is derived from another.

    Attributes:
        method: the method of calibration.
        folds, seed: of the cross-fitting; `None` for methods that are not fitted.
        extra: a hash of the answers to extra prompts; empty where there are none.
        left_as_is: wordings that the method does not apply to.
    """

    method: str
    folds: int | None
    seed: int | None
    extra: str = ""
    left_as_is: tuple[str, ...] = ()


def write_derived_run(
    source: Run, tasks: Sequence[OptionValues], corrected: Sequence[Floats], how: Derivation, out: Path
) -> Run:
    """Write a run folder with the completed cells of a run, under corrected log-probabilities.

    Args:
        source: the run, under the scorer that is corrected.
        tasks: all of its tasks, as `load_option_values` gives them.
        corrected: [R, E, C] the corrected log-probabilities of each task.
        how: recorded in `run.json`; it is part of the cells' identities.
        out: the folder. Cells of the same derivation that it holds are kept.

    Raises:
        RunError: the folder holds another run, the folder of the source is named, or it cannot be written.
    """
    if out.resolve() == source.path.resolve():
        raise UsageError("the folder is that of the run itself", got=str(out), where="--out", hint="Give another --out")
    scoring = f"{source.scoring}{PLUS}{how.method}"
    calibration = {name: value for name, value in how._asdict().items() if value not in (None, "", ())}
    settings = {**source.settings, "scoring": scoring, CALIBRATION: {**calibration, "of": source.scoring}}
    plain: RunContent = json.loads(json.dumps(settings))  # as it is read again: tuples are lists
    store = RunStore(out, plain)
    places = _places(source, tasks)
    cells = {cell: derived_cell(source, cell, scoring, calibration) for cell in places}
    record = {name: source.content[name] for name in _SECTIONS if name in source.content}
    if isinstance(record.get("groups"), list):  # as the first versions wrote it
        record["groups"] = {name: {} for name in source.groups}
    record[DERIVED_FROM] = {
        "run": url_of(source.name) or str(source.path.resolve()),
        "run_checksum": run_checksum_of(source.path),
        "scoring": source.scoring,
        "phraseproof": __version__,
        "command": shlex.join(sys.argv),
        **calibration,
    }
    store.register(list(cells.values()), record)
    with store.one_at_a_time("derived"):
        missing = set(store.missing(cells.values())[0])
        lacking = [cell for cell in places if cells[cell] in missing]
        store.write_tables(
            (cells[cell], _corrected(cells[cell], table, tasks[number], corrected[number][row]))
            for cell, table in source.read_cells(COLUMNS.names, only=lacking)
            for number, row in [places[cell]]
        )
        store.finish(0)
    return load_run(out)


def _places(source: Run, tasks: Sequence[OptionValues]) -> dict[Cell, tuple[int, int]]:
    """Of each completed cell the place of its task and its row there."""
    missing = set(source.missing)
    names = {(values.task, values.num_fewshot): number for number, values in enumerate(tasks)}
    rows = [0] * len(tasks)
    found: dict[Cell, tuple[int, int]] = {}
    for cell in source.cells:
        number = names.get((cell.task, cell.num_fewshot))
        if cell in missing or number is None:
            continue
        if tasks[number].left_out:
            raise RunError(
                f"the wordings of {cell.task} were scored on different examples",
                expected="the same examples under every wording",
                got=f"{tasks[number].left_out} that some wordings lack",
                where=source.name,
                hint="Evaluate all wordings with the same --limit",
            )
        found[cell] = number, rows[number]
        rows[number] += 1
    return found


def _corrected(cell: Cell, table: pa.Table, values: OptionValues, logprobs: Floats) -> pa.Table:
    """The rows of a cell with corrected log-probabilities, choice and score."""
    place = {name: number for number, name in enumerate(values.examples)}
    order = [place[name] for name in table["example_id"].to_pylist()]
    logprobs, has_option, credit = logprobs[order], values.has_option[order], values.credits[order]
    known = np.where(has_option, logprobs, -np.inf)
    is_read = ~np.isneginf(known.max(axis=1))
    chosen = choices(known, has_option)
    rows = np.arange(len(order))
    columns: dict[str, pa.Array] = {
        "option_logprobs": lists_of(table["options"], _with_mass(table, logprobs, has_option)),
        "predicted": number_column(chosen, pa.int32(), is_read),
        "score": number_column(
            np.where(is_read, credit[rows, chosen], 0.0), pa.float64(), np.ones(len(order), dtype=bool)
        ),
        "scoring": typed_column([cell.scoring] * len(order), pa.string()),
        "option_upper_logprobs": typed_column([None] * len(order), COLUMNS.field("option_upper_logprobs").type),
        "is_open": typed_column([None] * len(order), pa.bool_()),
    }
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), COLUMNS.field(name), column)
    if cell.metric != ACCURACY.name:
        judge = metric(cell.metric)
        judged = np.array([judge.score(outcome) for outcome in to_outcomes(table)])
        column = number_column(judged, pa.float64(), np.ones(len(order), dtype=bool))
        table = table.set_column(table.schema.get_field_index("score"), COLUMNS.field("score"), column)
    metadata = {
        IDENTITY_KEY: cell.identity.encode(),
        SCHEMA_KEY: str(SCHEMA_VERSION).encode(),
        USAGE_KEY: json.dumps(asdict(Usage())).encode(),
    }
    return table.replace_schema_metadata(metadata)


def _with_mass(table: pa.Table, logprobs: Floats, has_option: Flags) -> Floats:
    """The corrected log-probabilities of all options, one example after the other.

    The options of an example keep the probability that they had together, which reports show where a server lists the
    most probable tokens only: a correction moves probability between options.
    """
    before = np.full(has_option.shape, -np.inf)
    before[has_option] = flat_values(table["option_logprobs"])
    mass = log_total(before)
    return (logprobs + np.minimum(np.where(np.isneginf(mass), 0.0, mass), 0.0))[has_option]
