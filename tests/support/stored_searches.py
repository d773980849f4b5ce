"""Folders of searches among methods, without any training."""

from __future__ import annotations

from pathlib import Path

from phraseproof.reduction.search_document import search_json
from phraseproof.reports.build.searches import SEARCH_FILE
from support.method_searches import method_search


def write_search(folder: Path, *, skill: float = 3.0, seeds: int = 2) -> Path:
    """A folder with the result of a search on two tasks and with its runs, as `harden --methods` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SEARCH_FILE).write_text(search_json(method_search(folder, skill=skill, seeds=seeds)), encoding="utf-8")
    return folder
