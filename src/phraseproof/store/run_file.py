"""`run.json`, read: what every reader needs of it, and whether it still speaks of the same things."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from phraseproof.core import Cell
from phraseproof.errors import RunError
from phraseproof.identity import SCHEMA_VERSION
from phraseproof.scoring.registry import DEFAULT_SCORER

RUN_FILE = "run.json"


def read_run_file(run: Path) -> dict[str, Any]:
    """The content of `run.json`, checked for what every reader needs of it."""
    path = run / RUN_FILE
    if not path.is_file():
        hint = "Give the folder that was named with --out" if run.exists() else "Check the path"
        raise RunError("not a run folder: it has no run.json", where=str(run), hint=hint)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version, cells, settings = content["schema_version"], content["cells"], content["settings"]
        content["cells"] = [asdict(cell_of(entry, settings)) for entry in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"run.json is damaged: {type(error).__name__}: {error}", where=str(path)) from None
    if version != SCHEMA_VERSION:
        raise RunError(
            "the run was written by another version of phraseproof",
            expected=f"schema version {SCHEMA_VERSION}",
            got=str(version),
            where=str(path),
            hint="Evaluate into a new folder",
        )
    return content


def cell_of(entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Cell:
    """A cell as `run.json` has it. Runs older than `Cell.scoring` have one scorer, which their settings name."""
    fields: dict[str, Any] = {"scoring": settings.get("scoring") or DEFAULT_SCORER, **entry}
    return Cell(**fields)


def wording_keys(task: str, instruction: str) -> tuple[str, str]:
    """Where `run.json` may tell of a wording under `instructions`: by the task that brings it, or by its name alone.

    The designers' wordings of different tasks are different texts under one name.
    """
    return f"{task}: {instruction}", instruction


def edited_entries(old: Mapping[str, Any], new: Mapping[str, Any], key: str = "content") -> set[str]:
    """The entries of a section of `run.json` whose `key` is another than before, where both sides tell it."""
    return {
        name for name, entry in new.items() if key in entry and entry[key] != old.get(name, {}).get(key, entry[key])
    }


def require_same(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise a `RunError` that names the first setting in which a run folder's settings differ from others."""
    before, now = _flat(old), _flat(new)
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            raise RunError(
                f"the folder holds a run with another setting of {key}",
                expected=json.dumps(before.get(key)),
                got=json.dumps(now.get(key)),
                where=str(path),
                hint="Give another --out, or the same settings to go on with this run"
                if any(path.rglob("*.parquet"))
                else "Nothing is stored in it yet: delete it, or give another --out",
            )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings under dotted names, so that a difference is told by its own name."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat
