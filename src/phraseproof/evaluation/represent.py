"""Extracts representations: one vector per example and wording, stored and reused as outcomes are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from phraseproof.core import PENULTIMATE, Cell, Represents
from phraseproof.errors import ModelError, RunError, UsageError
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.evaluation.plan import CellIdentities, PlannedCell
from phraseproof.evaluation.record import Record, describe
from phraseproof.evaluation.registration import register_plan
from phraseproof.evaluation.reuse import Reuse
from phraseproof.evaluation.run import Evaluation
from phraseproof.evaluation.work import Work, count_prompts
from phraseproof.identity import content_hash
from phraseproof.scoring.registry import DEFAULT_METRIC, DEFAULT_SCORER
from phraseproof.store.cell_files import CellFiles
from phraseproof.store.queries import load_run
from phraseproof.store.run_file import RUN_FILE, RunContent, edited_entries, require_same
from phraseproof.store.vectors import LAYER, StoredVectors, load_vectors, read_vectors, vector_folder, vector_table
from phraseproof.store.writer import RunStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_BUNDLE_PROMPTS = 256
"""The maximum number of prompts per bundle: bounds the vectors in memory, and what a kill loses."""

_VERSION = 1
_FROM_THE_MODEL = ("model", "prompt_format")

Vectors: TypeAlias = "NDArray[np.float32]"


def represent(
    evaluation: Evaluation, out: Path, *, layer: int = PENULTIMATE, observer: Observer | None = None
) -> StoredVectors:
    """Compute and store the representations of an evaluation's cells that the folder does not hold yet.

    Args:
        evaluation: resolved, not started. Its scoring method has no influence.
        out: a run folder, new or existing. The vectors are stored in its folder `representations`, or
            `representations-layer-N`.
        layer: 0 for the embeddings, 1 for the output of the first block; negative numbers count from the last one. The
            penultimate by default.
        observer: notified of the progress.

    Returns:
        The stored vectors, without the cells that failed. Their errors are in `failures/`.

    Raises:
        ModelError: the model gives no representations.
        UsageError: several devices are named, the model has no such layer, or a wording has a prompt per option.
        RunError: the folder holds a run of another model or of other texts under the same names, or vectors made with
            other settings.
    """
    observer = observer or SilentObserver()
    model = evaluation.model
    if several := [each.cell.instruction for each in evaluation.planned if each.wording.instruction.continuation]:
        raise UsageError("a wording with a prompt per option (continuation) has no one representation", got=several[0])
    if (workers := evaluation.workers) is not None:
        raise UsageError("vectors are read on one device", got=",".join(workers.names), where="--device")
    if not isinstance(model, Represents):
        raise ModelError(
            "the model gives no representations",
            expected="a Hugging Face model, whose hidden states can be read",
            where=evaluation.model.identity.name,
        )
    place = layer_in(model, layer)
    settings = {name: evaluation.run_settings[name] for name in (*_FROM_THE_MODEL, "limit", "seed")}
    settings |= {} if place is None else {LAYER: place}
    _require_same_model(out, settings)
    planned = [_with_own_identity(each, place) for each in evaluation.planned]
    record = describe(planned, evaluation.tasks, evaluation.groups)
    _require_same_texts(out, record)
    store = RunStore(vector_folder(out, place), settings, locking=evaluation.locking, say=observer.warned)
    register_plan(store, planned, record, evaluation.settings, observer, stored="vectors")
    lacking = set(store.missing(each.cell for each in planned)[0])
    missing = [each for each in planned if each.cell in lacking]
    total = count_prompts(planned)
    observer.started(total=total, done=total - count_prompts(missing))

    def keep(planned: PlannedCell, vectors: Vectors) -> None:
        ids = [example.id for example in planned.task.examples]
        store.write_table(planned.cell, vector_table(planned.cell, ids, vectors))

    compute = _VectorReader(evaluation, model, store, place)
    try:
        Work(store, observer, compute, keep, max_prompts=MAX_BUNDLE_PROMPTS).through(missing)
    finally:
        store.save_checksums()
    return load_vectors(out, place)


def layer_in(model: object, layer: int) -> int | None:
    """A layer of a model as vectors are stored under it: counted from 0, and `None` for the penultimate.

    Args:
        model: which is loaded for any layer but the default.
        layer: as for `represent`.

    Raises:
        UsageError: the model has no such layer.
    """
    if layer == PENULTIMATE or not isinstance(model, Represents):
        return None
    count = model.count_layers()
    if not -count <= layer < count:
        raise UsageError(
            "the model has no such layer", expected=f"{-count} to {count - 1}", got=str(layer), where="--layer"
        )
    place = layer % count
    return None if place == count + PENULTIMATE else place


class _VectorReader:
    """Gives the vectors of cells: those that are stored for a smaller sample, and the model's for the other examples.

    Args:
        evaluation: renders the prompts.
        model: computes the vectors.
        store: where stored vectors are looked for.
        layer: which is read; `None` for the penultimate.
    """

    def __init__(self, evaluation: Evaluation, model: Represents, store: RunStore, layer: int | None) -> None:
        self._evaluation, self._model, self._store, self._layer = evaluation, model, store, layer
        identities = CellIdentities.of_evaluation(evaluation.model, evaluation.settings)
        reuse = Reuse(evaluation.whole_tasks, identities, store.samples, derives=False)
        self._sources = {
            _with_own_identity(each, layer).cell: [_own_identity(found, layer) for found in reuse.identities(each)]
            for each in evaluation.planned
        }

    def __call__(self, planned: Sequence[PlannedCell], count: Callable[[int], None]) -> list[Vectors]:
        """The vectors of each cell, [examples, width].

        Args:
            planned: cells that this process holds a claim on.
            count: called with the number of prompts that are done.
        """
        files = self._store.files()
        stored = [self._stored(each, files) for each in planned]
        count(sum(map(len, stored)))
        rest = [
            tuple(example for example in each.task.examples if example.id not in known)
            for each, known in zip(planned, stored, strict=True)
        ]
        prompts = [
            prompt
            for each, examples in zip(planned, rest, strict=True)
            for prompt in self._evaluation.prompts(each, examples)
        ]
        layer = PENULTIMATE if self._layer is None else self._layer
        computed = iter(self._model.represent(prompts, layer=layer, on_done=count) if prompts else ())
        for examples, known in zip(rest, stored, strict=True):
            known.update((example.id, next(computed)) for example in examples)
        return [
            np.stack([known[example.id] for example in each.task.examples])
            for each, known in zip(planned, stored, strict=True)
        ]

    def _stored(self, planned: PlannedCell, files: CellFiles) -> dict[str, Vectors]:
        """The stored vectors of the cell's examples, by example."""
        wanted = {example.id for example in planned.task.examples}
        found: dict[str, Vectors] = {}
        for identity in self._sources[planned.cell]:
            for vectors in read_vectors(files, planned.cell.task, identity):
                found |= {name: vectors[name] for name in wanted & (vectors.keys() - found.keys())}
        return found


def _own_identity(identity: str, layer: int | None) -> str:
    """The identity of a cell's vectors, from that of its outcomes. The penultimate layer is not named in it."""
    return content_hash(["representation", _VERSION, identity, *([] if layer is None else [layer])])


def _with_own_identity(planned: PlannedCell, layer: int | None) -> PlannedCell:
    """The cell of the vectors. Vectors and outcomes of one prompt have different identities."""
    identity = _own_identity(planned.cell.identity, layer)
    # A vector has neither scorer nor metric: stored cells have the defaults.
    return planned._replace(
        cell=replace(planned.cell, identity=identity, scoring=DEFAULT_SCORER, metric=DEFAULT_METRIC)
    )


def _require_same_model(out: Path, settings: RunContent) -> None:
    """Refuse a folder with a run of another model: distances are shown together with the accuracies of that run."""
    if not (out / RUN_FILE).exists():
        return
    there = load_run(out).settings
    shared = [name for name in _FROM_THE_MODEL if name in there]
    require_same(out, {name: there[name] for name in shared}, {name: settings[name] for name in shared})


def _require_same_texts(out: Path, record: Record) -> None:
    """Refuse wordings and data that were edited since the run: its accuracies are those of the earlier text."""
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


def cells_of(evaluation: Evaluation, layer: int | None = None) -> set[Cell]:
    """The cells that `represent` stores for an evaluation.

    Args:
        evaluation: resolved.
        layer: of the vectors, counted from 0; `None` for the penultimate.
    """
    return {_with_own_identity(each, layer).cell for each in evaluation.planned}


def same_but_for_adapter(one: StoredVectors, other: StoredVectors) -> bool:
    """Whether two sets of vectors have the same base model, layer, sample and prompt format, and may be compared."""
    return _without_adapter(one) == _without_adapter(other)


def _without_adapter(vectors: StoredVectors) -> RunContent:
    settings = dict(vectors.settings)
    settings["model"] = {name: value for name, value in settings["model"].items() if name != "adapter"}
    return settings
