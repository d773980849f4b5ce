"""Derived runs and their sources: the identity of a derived cell, and whether the source has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from phraseproof.core import Cell
from phraseproof.errors import MissingExtraError, RunError
from phraseproof.identity import content_hash
from phraseproof.store.local_copy import folder_if_any
from phraseproof.store.queries import Run, load_run
from phraseproof.store.run_file import CALIBRATION, DERIVED_FROM, RUN_FILE, run_checksum_of


def derived_cell(source: Run, cell: Cell, scoring: str, how: Mapping[str, object]) -> Cell:
    """A cell of a derived run; its identity changes with the outcomes that it is computed from.

    Args:
        source: the run that holds `cell`.
        scoring: of the derived cell.
        how: what it is computed with.
    """
    what = {
        "derived_from": cell.identity,
        "checksum": source.checksum(cell),
        "scoring": scoring,
        "how": dict(how),
    }
    return replace(cell, identity=content_hash(what), scoring=scoring)


def change_of_source(run: Run) -> str:
    """How the source of a derived run has changed since, in words; empty where it has not, or is not at its place.

    A source whose `run.json` was written again with the same cells has not changed.
    """
    origin: Mapping[str, object] = run.content.get(DERIVED_FROM, {})
    named = str(origin.get("run", ""))
    try:
        folder = folder_if_any(named)
        if not origin or folder is None or not (folder / RUN_FILE).exists():
            return ""
        if run_checksum_of(folder) == origin.get("run_checksum"):
            return ""
        opened = load_run(folder)
        scoring = str(origin["scoring"])
        if scoring not in opened.scorings:
            return f"its source {named} has no outcomes of the scoring {scoring} any more"
        source = opened.select(scoring)
        how: dict[str, object] = dict(run.settings[CALIBRATION])
        how.pop("of", None)
        missing = set(source.missing)
        now = {derived_cell(source, cell, run.scoring, how) for cell in source.cells if cell not in missing}
    except (RunError, MissingExtraError, OSError):
        return f"its source {named} cannot be read any more"
    then = set(run.cells) - set(run.missing)
    if now == then:
        return ""
    return (
        f"its source {named} has changed since: {len(now - then)} cells are new or different, "
        f"{len(then - now)} are no longer there as they were"
    )
