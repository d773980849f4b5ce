"""Extracting representations: one vector for each wording of each example, stored as outcomes are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from phraseproof.core import Cell, Represents
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.plan import PlannedCell
from phraseproof.evaluation.record import describe
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.work import Work, count_prompts
from phraseproof.identity import content_hash
from phraseproof.scoring.registry import DEFAULT_METRIC, DEFAULT_SCORER
from phraseproof.store.queries import load_run
from phraseproof.store.representations import FOLDER, StoredVectors, load_vectors, vector_table
from phraseproof.store.run_file import RUN_FILE, edited_entries, require_same
from phraseproof.store.writer import RunStore

MAX_BUNDLE_PROMPTS = 1024
"""The most prompts that are read before their vectors are stored: a bound on what memory holds. A kill loses less, for
bundles begin small and grow (`work.py`)."""

_VERSION = 1
_FROM_THE_MODEL = ("model", "prompt_format")


def represent(evaluation: Evaluation, out: Path, *, observer: Observer | None = None) -> StoredVectors:
    """Store the representation of every cell of an evaluation that the folder does not hold yet.

    Args:
        evaluation: resolved, not begun; its scoring method plays no part.
        out: a run folder, or one to be; the vectors go into its folder `representations`.
        observer: notified of the progress.

    Returns:
        The stored vectors. Cells that failed are missing from it, and their errors lie in `failures/`.

    Raises:
        ModelError: the model gives no representations.
        UsageError: several devices are named.
        RunError: the folder holds a run of another model or of other texts under the same names, or vectors made with
            other settings.
    """
    observer = observer or SilentObserver()
    model = evaluation.model
    if (workers := evaluation.workers) is not None:
        raise UsageError("vectors are read on one device", got=",".join(workers.names), where="--device")
    if not isinstance(model, Represents):
        raise ModelError(
            "the model gives no representations",
            expected="a Hugging Face model, whose hidden states can be read",
            where=evaluation.model.identity.name,
        )
    settings = {name: evaluation.run_settings[name] for name in (*_FROM_THE_MODEL, "limit", "seed")}
    _require_same_model(out, settings)
    planned = [_with_own_identity(each) for each in evaluation.planned]
    record = describe(planned, evaluation.tasks, evaluation.groups)
    _require_same_texts(out, record)
    store = RunStore(out / FOLDER, settings)
    stale, _ = store.register([each.cell for each in planned], record)
    if stale:
        observer.warned(
            f"data or wordings were edited, so vectors of {len(stale)} cells read before are left out: "
            f"{stale[0].task} under {stale[0].instruction} first. Name their wordings again to read them again"
        )
    lacking = set(store.missing(each.cell for each in planned)[0])
    missing = [each for each in planned if each.cell in lacking]
    total = count_prompts(planned)
    observer.started(total=total, done=total - count_prompts(missing))

    def keep(planned: PlannedCell, vectors: Any) -> None:
        ids = [example.id for example in planned.task.examples]
        store.write_table(planned.cell, vector_table(planned.cell, ids, vectors))

    work = Work(
        store,
        observer,
        lambda some, count: _vectors(some, evaluation, model, count),
        keep,
        max_prompts=MAX_BUNDLE_PROMPTS,
    )
    work.through(missing)
    return load_vectors(out)


def _with_own_identity(planned: PlannedCell) -> PlannedCell:
    """A representation is not an outcome: the same prompt has one identity for each."""
    identity = content_hash(["representation", _VERSION, planned.cell.identity])
    # A vector has neither scorer nor metric: stored cells have the defaults.
    return planned._replace(
        cell=replace(planned.cell, identity=identity, scoring=DEFAULT_SCORER, metric=DEFAULT_METRIC)
    )


def _require_same_model(out: Path, settings: dict[str, Any]) -> None:
    """Distances are set beside the accuracies of the run that they lie in."""
    if not (out / RUN_FILE).exists():
        return
    there = load_run(out).settings
    shared = [name for name in _FROM_THE_MODEL if name in there]
    require_same(out, {name: there[name] for name in shared}, {name: settings[name] for name in shared})


def _require_same_texts(out: Path, record: Mapping[str, Mapping[str, Any]]) -> None:
    """What was edited after the run was made would be set beside the accuracy of its earlier text."""
    if not (out / RUN_FILE).exists():
        return
    there = load_run(out).content
    if wordings := edited_entries(there.get("instructions", {}), record["instructions"]):
        raise RunError(
            f"the run holds accuracies of another text of the wording {min(wordings)!r}",
            where=str(out),
            hint="Evaluate today's wordings into it first, or give another --out",
        )
    if tasks := edited_entries(there.get("tasks", {}), record["tasks"], "data"):
        raise RunError(
            f"the run holds accuracies on other data of the task {min(tasks)!r}, which was edited since",
            where=str(out),
            hint="Evaluate today's data into it first, or give another --out",
        )


def _vectors(
    planned: Sequence[PlannedCell], evaluation: Evaluation, model: Represents, count: Callable[[int], None]
) -> list[Any]:
    """Each cell's vectors, [examples, width]."""
    vectors = model.represent([prompt for each in planned for prompt in evaluation.prompts(each)], on_done=count)
    parts: list[Any] = []
    start = 0
    for each in planned:
        parts.append(vectors[start : start + each.cell.num_examples])
        start += each.cell.num_examples
    return parts


def cells_of(evaluation: Evaluation) -> set[Cell]:
    """The cells that `represent` stores for an evaluation."""
    return {_with_own_identity(each).cell for each in evaluation.planned}


def same_but_for_adapter(one: StoredVectors, other: StoredVectors) -> bool:
    """Whether two sets of vectors come from one base model, sample and prompt format, and may be compared."""
    return _without_adapter(one) == _without_adapter(other)


def _without_adapter(vectors: StoredVectors) -> dict[str, Any]:
    settings = dict(vectors.settings)
    settings["model"] = {name: value for name, value in settings["model"].items() if name != "adapter"}
    return settings
