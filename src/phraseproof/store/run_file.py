"""Reads `run.json`, and checks which settings may change as a run grows and which entries were edited."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.files import read_json, write_json
from phraseproof.identity import SCHEMA_VERSION
from phraseproof.scoring.registry import DEFAULT_METRIC, DEFAULT_SCORER
from phraseproof.store.run_schema import RUN_CHECKSUM, check_run_content, checksum_of_content
from phraseproof.store.urls import require_no_url

RUN_FILE = "run.json"

_WITH_PACKS = f"{SCHEMA_VERSION} with packs"
"""The `schema_version` of runs with packs. Versions that know no packs refuse it: they would miss cells."""

ACCURACIES = "accuracies"
"""The section of `run.json` with the wording scores of an imported run, each under its own name."""

SAMPLES = "samples"
"""The section of `run.json` with the samples, scorers and metrics of all evaluations into the run."""

RunContent: TypeAlias = dict[str, Any]
"""`run.json` as plain data."""

Settings: TypeAlias = Mapping[str, Any]
"""The settings that all cells of a run share, as plain data."""

METRICS = "metrics"
"""The section with the signature of each metric that a library computes, by the metric's name."""

OLDER_CELLS = "older_cells"
"""Set in `run.json` if the run has both newer cells and cells of an older version, which lack columns."""

CELL_COLUMNS = "cell_columns"
"""The number of columns of the cells that the last evaluation wrote."""

ACCEPTED_EDITS = "accepted_edits"
"""When edits of `run.json` by hand were accepted, as ISO 8601 in UTC; absent if there were none."""

RANDOM = "random"
STRATIFIED = "stratified"

_MOST_CELLS_INDENTED = 500
"""Files with more cells have one item per line without indentation, which takes a fifth of the time to write."""

_CELL_FIELDS = tuple(field.name for field in fields(Cell))
_GROWING = ("limit", "scoring", "metric")

GENERATION = "generation"
"""The setting of runs with generated texts: how they are generated. Runs may gain such texts later."""


CALIBRATION = "calibration"
"""The setting of runs that `phraseproof calibrate` derived: the method and its options. Other runs do not have it."""

DERIVED_FROM = "derived_from"
"""The section of `run.json` of a derived run that says from which run it was computed."""


IMPORTED = "imported"
"""The setting of runs whose outcomes another program computed; it names the program."""

IMPORTED_FROM = "imported_from"
"""The section of `run.json` with the files of an imported run, their checksums, and the program that wrote them."""

IMPORTED_DATA = "imported_data"
"""The section of an imported run with the settings of each task and a hash of each example's data."""

FITTING = "fitting"
"""In a task's entry of `run.json`: how many of its examples keep a maximum length of prompts (`FittedExamples`)."""


class FittedExamples(NamedTuple):
    """The examples of a task whose prompts are short enough under every wording.

    Attributes:
        max_prompt_tokens: the largest number of tokens.
        kept, examined: how many fit, of how many that were looked at.
    """

    max_prompt_tokens: int
    kept: int
    examined: int


class EvaluatedSample(NamedTuple):
    """The sample, scorer and metric of one evaluation into a run folder, by which its outcomes are found again.

    Attributes:
        limit, seed: the sample of examples; `None` for all of them.
        scoring, metric: as in `Cell`.
        sample: how the examples were drawn, `stratified` or `random`; random in runs that are older than the choice.
    """

    limit: int | None
    seed: int
    scoring: str = DEFAULT_SCORER
    metric: str = DEFAULT_METRIC
    sample: str = RANDOM


def read_run_file(run: Path) -> RunContent:
    """Read `run.json` and check the sections that every reader needs.

    Raises:
        RunError: the file is missing or damaged, was edited after it was written, or another version wrote it.
    """
    content = _read_checked(run)
    checksum = content.pop(RUN_CHECKSUM, None)
    if checksum is not None and checksum != checksum_of_content(content):
        raise RunError(
            "run.json is damaged or was edited: its checksum is not that of its content",
            where=str(run / RUN_FILE),
            hint=f"If you edited it on purpose: phraseproof runs {shlex.quote(str(run))} --accept-edit; "
            "else restore the file, or evaluate into a new folder",
        )
    content["cells"] = [entry_of(cell_of(entry, content["settings"])) for entry in content["cells"]]
    return content


def accept_edit(run: Path) -> bool:
    """Give an edited `run.json` the checksum of its present content, and record that this was done.

    Returns:
        Whether the content was edited.

    Raises:
        RunError: as `read_run_file`, apart from the checksum; or the file cannot be written.
    """
    content = _read_checked(run)
    checksum = content.pop(RUN_CHECKSUM, None)
    if checksum is None or checksum == checksum_of_content(content):
        return False
    edits: list[object] = content.setdefault(ACCEPTED_EDITS, [])
    edits.append(datetime.now(tz=UTC).isoformat(timespec="seconds"))
    write_run_file(run, content)
    return True


def _read_checked(run: Path) -> RunContent:
    """`run.json` with the checksum in it, which is not compared; its version and the types of its sections are."""
    path = run / RUN_FILE
    if not path.exists():
        hint = "Give the folder that was named with --out" if run.exists() else "Check the path"
        if run.is_dir():
            hint += f"; phraseproof runs {run} lists those in it"
        raise RunError("not a run folder: it has no run.json", where=str(run), hint=hint)
    try:
        found = read_json(path)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise _damaged(path, reason) from None
    content: RunContent = cast("RunContent", found) if isinstance(found, dict) else {}
    version = content.get("schema_version")
    if version is None:
        raise _damaged(path, "it has no schema_version")
    if version not in (SCHEMA_VERSION, _WITH_PACKS):
        raise RunError(
            "the run was written by another version of phraseproof",
            expected=f"schema version {SCHEMA_VERSION}",
            got=str(version),
            where=str(path),
            hint="Evaluate into a new folder",
        )
    try:
        check_run_content(content)
    except ValueError as error:
        raise _damaged(path, str(error)) from None
    return content


def mark_packs(run: Path) -> None:
    """Say in `run.json` that cells may be in packs. The caller keeps other processes out.

    Raises:
        RunError: as `read_run_file`; or the file cannot be written.
    """
    content = read_run_file(run)
    if content["schema_version"] != _WITH_PACKS:
        write_run_file(run, {**content, "schema_version": _WITH_PACKS})


def write_run_file(run: Path, content: RunContent) -> None:
    """Replace `run.json` in one step, with a checksum of its content.

    Raises:
        RunError: it cannot be written.
    """
    plain: RunContent = json.loads(json.dumps(content))  # as a reader sees it: keys are texts, tuples are lists
    signed = {**plain, RUN_CHECKSUM: checksum_of_content(plain)}
    if len(plain["cells"]) <= _MOST_CELLS_INDENTED:
        write_json(run / RUN_FILE, signed, error=RunError)
    else:
        write_json(run / RUN_FILE, signed, indent=None, item_separator=",\n", error=RunError)


def _damaged(path: Path, reason: str) -> RunError:
    return RunError(f"run.json is damaged: {reason}", where=str(path))


def cell_of(entry: Settings, settings: Settings) -> Cell:
    """A cell from its entry in `run.json`. Runs older than `Cell.scoring` name their one scorer in the settings."""
    values: RunContent = {"scoring": settings.get("scoring") or DEFAULT_SCORER, **entry}
    return Cell(**values)


def entry_of(cell: Cell) -> RunContent:
    """A cell as its entry in `run.json`. All fields are plain, so `asdict`, which copies deeply, is not needed."""
    return {name: getattr(cell, name) for name in _CELL_FIELDS}


def run_checksum_of(run: Path) -> int:
    """The checksum of a run's `run.json`, by which a derived run names its source.

    Raises:
        RunError: as `read_run_file`.
    """
    content = _read_checked(run)
    return int(content.pop(RUN_CHECKSUM, None) or checksum_of_content(content))


def samples_of(content: RunContent) -> list[EvaluatedSample]:
    """The samples of all evaluations into a run. Runs without the section have one, which is in the settings."""
    settings: Settings = content["settings"]
    first = {name: settings[name] for name in EvaluatedSample._fields if settings.get(name) is not None}
    entries: list[RunContent] = list(content.get(SAMPLES, {}).values()) or [{"limit": None, "seed": 0, **first}]
    return [EvaluatedSample(**entry) for entry in entries]


def sample_entry(sample: EvaluatedSample) -> RunContent:
    """A sample as an entry of its section, under a readable name."""
    limit = "all examples" if sample.limit is None else f"limit {sample.limit}"
    drawn = "" if sample.sample == RANDOM else f" {sample.sample}"
    return {f"{limit}{drawn}, seed {sample.seed}, {sample.scoring}, {sample.metric}": sample._asdict()}


def wording_keys(task: str, instruction: str) -> tuple[str, str]:
    """The keys of a wording in the section `instructions`: with the task that provides it, and by its name alone.

    Designers' wordings of different tasks may be different texts of one name.
    """
    return f"{task}: {instruction}", instruction


def edited_entries(old: Settings, new: Settings, key: str = "content") -> set[str]:
    """The entries of a section of `run.json` whose `key` changed. Entries without it on one side do not count."""
    return {
        name for name, entry in new.items() if key in entry and entry[key] != old.get(name, {}).get(key, entry[key])
    }


def require_folder(path: Path) -> None:
    """Check that a path can be a run folder.

    Raises:
        RunError: it is a file, or a URL.
    """
    require_no_url(path)
    if path.exists() and not path.is_dir():
        raise RunError("a run needs a folder, and this is a file", where=str(path), hint="Give another --out")


def require_growth(path: Path, old: Settings, new: Settings) -> Settings:
    """The settings of a run folder that grows by a larger sample, or by another scorer or metric.

    Args:
        path: the folder, for the error.
        old: the folder's settings.
        new: the settings of the new evaluation.

    Returns:
        The new settings, with the scorer and metric of the folder's first evaluation.

    Raises:
        RunError: the sample shrinks, a setting that all cells must share (model, format, ...) differs, or the folder
            holds a run that was derived from another or imported.
    """
    if CALIBRATION in old and CALIBRATION not in new:
        raise RunError(
            "the folder holds a run that `phraseproof calibrate` derived from another run: no model can add to it",
            where=str(path),
            hint="Evaluate into the folder of the other run, and calibrate that again; or give another --out",
        )
    if IMPORTED in old and IMPORTED not in new:
        raise RunError(
            "the folder holds results that `phraseproof import-results` read from files: no model can add to them",
            where=str(path),
            hint="Give another --out, and compare the two runs",
        )
    if IMPORTED in new and IMPORTED not in old:
        raise RunError("the folder holds a run of a model", where=str(path), hint="Give another --out")
    if CALIBRATION in new and CALIBRATION not in old:
        raise RunError("the folder holds a run of a model", where=str(path), hint="Give another --out")
    before, now = old.get("limit"), new.get("limit")
    if now is not None and "limit" in old and (before is None or now < before):
        raise RunError(
            "the folder holds a run on a larger sample",
            expected="no --limit" if before is None else f"--limit {before} or more",
            got=f"--limit {now}",
            where=str(path),
            hint="Give another --out for a smaller sample",
        )
    growing = _GROWING if GENERATION in old and GENERATION in new else (*_GROWING, GENERATION)
    require_same(path, *({key: value for key, value in each.items() if key not in growing} for each in (old, new)))
    return {**new, **{key: old[key] for key in ("scoring", "metric", GENERATION) if key in old}}


def require_same(path: Path, old: Settings, new: Settings) -> None:
    """Raise a `RunError` that names the first setting in which a run folder's settings differ from others."""
    before, now = _flat(old), _flat(new)
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            raise RunError(
                f"the folder holds a run with another setting of {key}",
                expected=json.dumps(before.get(key)),
                got=json.dumps(now.get(key)),
                where=str(path),
                hint="Give another --out, or the same settings to go on with this run",
            )


def _flat(settings: Settings, prefix: str = "") -> RunContent:
    """Nested settings under dotted names, so that an error names the setting that differs."""
    flat: RunContent = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat
