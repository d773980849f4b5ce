"""A training whose model, pairs and settings are read and checked, what runs it, and its result."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from phraseproof.alignment.loop.held_out import AlignmentEvaluation, HeldOut
from phraseproof.alignment.loop.preparation import Preparation, prepare
from phraseproof.alignment.merging import merge_adapter
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.training_notes import check_pairs, note_plan, warn_of_plan
from phraseproof.models import ModelOptions
from phraseproof.store.training_record import read_record
from phraseproof.training.acceleration import accelerated
from phraseproof.training.folder import check_folder, only_trainer
from phraseproof.training.log import SilentTrainingObserver, TrainingObserver, read_log
from phraseproof.training.work import epoch_folder

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.alignment.pairs import ParaphraseSet
    from phraseproof.models.huggingface.model import HuggingFaceModel
    from phraseproof.training.trainable_model import TrainableModel

_LESS_MEMORY = "Try --gradient-checkpointing, fewer --paraphrases-per-batch, or --mixed-precision bf16"

_DEFAULTS = AlignmentSettings().as_record()

ValidationPairs: TypeAlias = "Mapping[str, Sequence[ParaphraseSet] | Path]"
"""Paraphrase sets, or files of them, by name."""


@dataclass(frozen=True, slots=True)
class AlignmentResult:
    """The result of a finished training.

    Attributes:
        folder: a model folder for methods that train all weights, an adapter folder for the others.
        kind: `adapter` or `model`.
        step: the step whose weights were kept.
        steps: the number of steps done.
        stopped: why training ended: `done`, `early` (the held-out loss no longer fell, or agreement no longer rose), or
            `drift` (wordings agreed more on answers that got worse).
        before, after: held-out evaluations before the first step, and of the kept weights, if pairs are held out.
        seconds: the time spent in steps and evaluations, over all sessions.
        merged: the folder of the merged model, if one was requested.
        epochs: the folders of the weights that were kept after an epoch, by its number.
        validation: the evaluations on each validation file, by name, after that number of passes through the pairs; 0
            is before training. Empty without validation files.
    """

    folder: Path
    kind: str
    step: int
    steps: int
    stopped: str
    before: HeldOut | None
    after: HeldOut | None
    seconds: float
    merged: Path | None = None
    epochs: Mapping[int, Path] = field(default_factory=dict[int, Path])
    validation: Mapping[float, Mapping[str, HeldOut]] = field(default_factory=dict[float, "Mapping[str, HeldOut]"])


@dataclass(frozen=True)
class PreparedTraining:
    """A training whose model, pairs and settings are read and checked; nothing is trained or written yet.

    Attributes:
        preparation: what is trained on what.
        accelerator: the processes, the device and the precision.
        given: the settings without the defaults that depend on the method.
        owns_model: whether only this training uses the model.
    """

    preparation: Preparation
    accelerator: Accelerator
    given: AlignmentSettings
    owns_model: bool

    def run(
        self,
        out: Path,
        *,
        observer: TrainingObserver | None = None,
        merge: bool = False,
        is_checked: bool = False,
        is_judged: bool = False,
    ) -> AlignmentResult:
        """Train to the end; at once if the folder holds this training, and from its last checkpoint if it stopped.

        Args:
            out: the folder.
            observer, merge: as in `align`.
            is_checked: the pairs were checked before (`Preparation.check_drawn`), by the caller.
            is_judged: another training has said how good the reference wordings of these pairs are.

        Raises:
            UsageError: a pair that the training draws cannot be trained on; nothing is written then.
        """
        prepared, accelerator = self.preparation, self.accelerator
        observer = observer or SilentTrainingObserver()
        if not is_checked and not is_finished(out):
            check_pairs(prepared, accelerator, observer)
        with only_trainer(out, accelerator):
            record = check_folder(out, prepared.resuming(read_record(out)).record, _DEFAULTS)
            accelerator.wait_for_everyone()
            if record is None or not record.get("finished"):
                record = self._train(out, observer, is_judged=is_judged)
            result = _result(out, record, prepared, accelerator.num_processes)
            if merge and accelerator.is_main_process:
                base = prepared.model if self.owns_model else prepared.model.read_again()
                result = replace(result, merged=merge_adapter(base, out))
            return result

    def _train(self, out: Path, observer: TrainingObserver, *, is_judged: bool) -> Mapping[str, object]:
        """Returns the folder's record."""
        from phraseproof.alignment.loop.work import AlignmentWork, plan_of
        from phraseproof.training.loop import TrainingLoop

        judged = self.preparation
        if self.accelerator.is_main_process and not is_judged:
            judged = judged.with_judged_references()  # before the training holds weights, too
        work = AlignmentWork(self.preparation, self.accelerator)
        model: TrainableModel = self.accelerator.unwrap_model(work.optimization.model)
        prepared = self.preparation.computed_as(is_packed=model.is_packed)
        check_folder(out, prepared.record, _DEFAULTS)
        plan = plan_of(prepared, self.accelerator.num_processes)
        loop = TrainingLoop(work, plan, out, self.accelerator, observer)
        if self.accelerator.is_main_process:
            note_plan(judged, observer, self.given, self.accelerator.num_processes)
            warn_of_plan(judged, observer)
        return loop.run()


def is_finished(out: Path) -> bool:
    """Whether the folder holds a training that ended."""
    return bool((read_record(out) or {}).get("finished"))


@contextlib.contextmanager
def prepared_training(
    model: str | HuggingFaceModel,
    pairs: Sequence[ParaphraseSet] | Path,
    settings: AlignmentSettings,
    *,
    validation: ValidationPairs | None = None,
    model_options: ModelOptions = ModelOptions(),
) -> Generator[PreparedTraining]:
    """Read and check what `train` needs; afterwards, what is held is freed."""
    with accelerated(settings.mixed_precision, model_options, less_memory=_LESS_MEMORY) as (accelerator, own_options):
        prepared = prepare(model, pairs, settings, own_options, validation)
        prepared = prepared.run_by(accelerator.num_processes, accelerator.mixed_precision)
        yield PreparedTraining(prepared, accelerator, settings, isinstance(model, str))


def _result(out: Path, record: Mapping[str, object], prepared: Preparation, processes: int) -> AlignmentResult:
    stored = cast("Mapping[str, Any]", record["result"])
    result = {name: stored[name] for name in ("step", "steps", "stopped", "before", "after", "seconds")}
    for name in ("before", "after"):
        result[name] = None if result[name] is None else AlignmentEvaluation.from_record(result[name]).held_out
    validation: dict[float, Mapping[str, HeldOut]] = {}
    for row in read_log(out) if prepared.validation else ():
        if "held_out" in row:
            epochs = prepared.epochs_at(row["step"], processes)
            found = AlignmentEvaluation.from_record(row["held_out"]).validation
            validation[int(epochs) if epochs.is_integer() else epochs] = found
    kept = {epoch: step for epoch, step in prepared.kept_steps(processes).items() if step <= result["steps"]}
    return AlignmentResult(
        folder=out,
        kind=str(record["kind"]),
        epochs={epoch: out / epoch_folder(epoch) for epoch in kept},
        validation=validation,
        **result,
    )
