"""Runs a search among alignment methods and keeps its result in the folder, for the command line and for Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from phraseproof.errors import RunError
from phraseproof.evaluation.distributed.pooled import WorkerSet
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.files import write_text
from phraseproof.hardening.search import MethodSearch, run_search
from phraseproof.hardening.search_plan import SearchInput
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.models import ModelOptions
from phraseproof.reduction.search_document import search_json, stored_set
from phraseproof.reports.build.searches import SEARCH_FILE, StoredSearch, read_search
from phraseproof.store.looks import Look, earlier_looks
from phraseproof.training.log import TrainingObserver


def search_and_keep(
    model: str,
    given: SearchInput,
    out: Path,
    settings: SearchSettings,
    *,
    model_options: ModelOptions = ModelOptions(),
    observers: tuple[Observer | None, TrainingObserver | None] = (None, None),
    workers: WorkerSet | None = None,
) -> MethodSearch:
    """Do what `run_search` does, and write the result to `out/search.json`.

    A folder whose `search.json` holds another search with the same test examples has been looked at before:
    `MethodSearch.earlier` names what was reported, and the new file keeps it.

    Args:
        model, given, out, settings, model_options, observers, workers: as in `run_search`.

    Raises:
        UsageError, NotEnoughDataError: as `run_search`.
        RunError: cells failed, or the folder cannot be written.
    """
    earlier = _read(out, observers[0] or SilentObserver())
    found = run_search(model, given, out, settings, model_options=model_options, observers=observers, workers=workers)
    known = () if earlier is None else _known_looks(earlier, found)
    found = replace(found, earlier=earlier_looks(found.look, known))
    write_text(out / SEARCH_FILE, search_json(found, known), error=RunError)
    return found


def _read(out: Path, observer: Observer) -> StoredSearch | None:
    """The search that the folder holds. One that cannot be read must not stop another: it is replaced at the end."""
    if not (out / SEARCH_FILE).exists():
        return None
    try:
        return read_search(out).found
    except RunError as error:
        observer.warned(f"{error.problem}, so it is not known whether the test set was looked at before: {error.where}")
        return None


def _known_looks(stored: StoredSearch, found: MethodSearch) -> Sequence[Look]:
    """The looks that a stored search knows of, its own included."""
    if stored.looks:
        return stored.looks
    # A file from before looks were kept: its test set is this one if its sizes and wordings are.
    test, own = stored.sets["test"], stored_set(found.plan.test)
    if dict(test.examples) != dict(own.examples) or tuple(test.wordings) != tuple(own.wordings):
        return ()
    trained = [each for each in stored.trainings if each.set == "refitting"]
    models = tuple(Path(each.folder).parent.name for each in trained)
    reported = tuple(dict.fromkeys(each.label for each in trained))
    return [Look(found.look.examples, models, reported, stored.recommendation)]
