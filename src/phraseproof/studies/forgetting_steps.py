"""The steps of `forgetting`: a training of 25 epochs, and what is measured of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from phraseproof.alignment.loop.held_out import AlignmentEvaluation
from phraseproof.alignment.pairs import pairs_from_task
from phraseproof.errors import UsageError
from phraseproof.evaluation.resolve import load_wordings
from phraseproof.instructions.collections import instructions_for
from phraseproof.instructions.families import family_of
from phraseproof.studies.alignment_pairs import AlignmentPairs, alignment_pairs
from phraseproof.studies.alignment_step import AlignedEvaluation, AlignedRepresentations, AlignmentStep
from phraseproof.studies.material import OBSERVED, UNOBSERVED, material_of
from phraseproof.studies.representation_step import EXAMPLES, RepresentationStep
from phraseproof.studies.steps import main_step
from phraseproof.studies.study import Step, StudyRequest
from phraseproof.tasks import load_tasks
from phraseproof.training.log import read_log
from phraseproof.training.work import epoch_folder

if TYPE_CHECKING:
    from phraseproof.alignment.pairs import ParaphraseSet

EPOCHS = 25
"""The length of the training, as in the paper."""

COMPARED = (1, EPOCHS)
"""The epochs whose distances are compared (Figure 10)."""

HELD_OUT = 0.1
"""The share of the pairs that is held out: the paper's validation set of the tuning collection."""

VALIDATION = 500
"""The number of validation pairs of a group of wordings, over all tasks, where the material names none per task."""

HELD_OUT_PAIRS = "held-out pairs"
"""The name of the losses on pairs of the training's tasks that it does not use."""


@dataclass(frozen=True)
class EpochOf(AlignmentStep):
    """A training as it was after an epoch: its folder is that of the weights that were kept.

    Attributes:
        epoch: its number.
    """

    epoch: int = 0

    @property
    def result(self) -> str:
        """The model, in a few words."""
        return f"{self.model} after {self.epoch} epochs of {self.settings.method}"


def models(request: StudyRequest) -> tuple[str, str]:
    """The tuned and the untuned model: those that the user names, or of one model's family those that are shipped.

    Raises:
        UsageError: there are not two; or run folders are given, which hold no training.
    """
    if request.runs:
        raise UsageError("the study trains models", expected="--model TUNED --model UNTUNED", where="--run")
    named = request.models
    if len(named) == 1:
        named = material_of(named[0]).tuned_and_untuned or named
    if len(named) != 2 or named[0] == named[1]:
        raise UsageError(
            "the study compares a tuned model with an untuned one",
            expected="--model TUNED --model UNTUNED",
            got=", ".join(named),
            where="--model",
        )
    return named[0], named[1]


class LossesOfEpoch(NamedTuple):
    """The cross-entropies of one evaluation, in nats per token of the answers.

    Attributes:
        epoch: the number of passes through the pairs.
        losses: by set: held-out pairs, and a group of wordings of other tasks.
    """

    epoch: float
    losses: Mapping[str, float]


def losses_of(training: AlignmentStep) -> list[LossesOfEpoch]:
    """The evaluations of a training, in order; the last one is after its last epoch."""
    rows = [row for row in read_log(training.folder) if "held_out" in row]
    last = max(row["step"] for row in rows)
    found: list[LossesOfEpoch] = []
    for row in rows:
        evaluation = AlignmentEvaluation.from_record(row.get("held_out", {}))
        own = {} if evaluation.held_out is None else {HELD_OUT_PAIRS: evaluation.held_out.ce}
        others = {name: each.ce for name, each in evaluation.validation.items()}
        found.append(LossesOfEpoch(EPOCHS * row["step"] / last, {**own, **others}))
    return found


def training_pairs(request: StudyRequest, tuned: str) -> AlignmentPairs:
    """What both models are trained on: other tasks than those whose losses are shown."""
    limit = material_of(tuned).forgetting_limit
    return alignment_pairs(replace(request, tasks=()), tuned, limit=limit)


def with_observed(request: StudyRequest, tuned: str) -> StudyRequest:
    """The request with the tuned model's observed wordings by name: the untuned one has none."""
    family = family_of(tuned)
    observed = {} if family is None else {OBSERVED: family.observed}
    return replace(request, instructions={**observed, **request.instructions})


def validation_sets(request: StudyRequest, tuned: str, group: str) -> tuple[ParaphraseSet, ...]:
    """Scored examples of other tasks under the wordings of a group, each paired with others of the group.

    Raises:
        UsageError: no wording of the group fits any task.
    """
    material = material_of(tuned)
    own = {OBSERVED: material.observed, UNOBSERVED: material.unobserved}
    wordings = load_wordings(request.instructions.get(group, own[group]), model=tuned)
    tasks = load_tasks(request.tasks or material.forgotten_tasks, data_dir=request.data_dir)
    per_task = request.limit or material.forgetting_limit or -(-VALIDATION // len(tasks))
    sets: list[ParaphraseSet] = []
    for task in tasks:
        serving = [item for each in wordings for item in instructions_for(each, task)]
        if len(serving) > 1:
            sets += pairs_from_task(
                replace(task, demonstrations=()), serving, serving, limit=per_task, seed=request.seed
            )
    if not sets:
        raise UsageError(f"no two wordings of the group {group!r} fit a task", where="--instructions")
    return tuple(sets)


def epoch_steps(request: StudyRequest, training: AlignmentStep, epoch: int) -> list[Step]:
    """The accuracies and the hidden states of a model after an epoch."""
    at = EpochOf(
        model=training.model,
        pairs=training.pairs,
        settings=training.settings,
        folder=training.folder / epoch_folder(epoch),
        model_options=training.model_options,
        notes=training.notes,
        validation=training.validation,
        epoch=epoch,
    )
    material = material_of(training.model)
    limit = request.limit or material.forgetting_limit
    base = main_step(request, training.model, tasks=material.forgotten_tasks, limit=limit)
    vectors = RepresentationStep(base.spec.with_changes(limit=min(limit or EXAMPLES, EXAMPLES)), base.folder)
    suffix = training.folder.name.rpartition("-")[2]
    folder = base.folder.with_name(f"{base.folder.name}-ft-{suffix}-epoch-{epoch}")
    return [
        AlignedEvaluation(at.aligned(base.spec), folder, at, base),
        AlignedRepresentations(at.aligned(vectors.spec), folder, at, vectors),
    ]
