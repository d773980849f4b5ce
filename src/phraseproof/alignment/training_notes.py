"""What a training says before its first step: its length, what was assumed, what is doubtful, what is not checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from phraseproof.alignment.loop.preparation import Preparation
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.teacher_quality import report_qualities
from phraseproof.training.log import TrainingObserver

if TYPE_CHECKING:
    from accelerate import Accelerator


def check_pairs(prepared: Preparation, accelerator: Accelerator, observer: TrainingObserver) -> None:
    """Check the pairs that are drawn, and say if others are not checked.

    Raises:
        UsageError: one of them cannot be trained on.
    """
    drawn, pairs = prepared.check_drawn(accelerator.num_processes), len(prepared.train.pairs)
    if drawn < pairs and accelerator.is_main_process:
        observer.noted(f"{drawn:,} of {pairs:,} pairs are drawn; whether the others fit the model is not checked")


def note_plan(prepared: Preparation, observer: TrainingObserver, given: AlignmentSettings, processes: int) -> None:
    """Report the length of the training, and what was assumed."""
    steps, batches = prepared.total_steps(processes), prepared.batches_per_step(processes)
    pairs = len(prepared.train.pairs)
    is_assumed = given.max_steps is None and given.epochs is None
    held_out = f"; {len(prepared.held_out.pairs)} held out" if prepared.held_out.pairs else ""
    if prepared.split.by == "wording" and prepared.held_out_wordings:
        count = prepared.held_out_wordings
        held_out += f", under {count} wording{'' if count == 1 else 's'} that training does not use"
    observer.noted(
        f"{steps:,} step{'s' * (steps != 1)} of {batches} batch{'es' * (batches != 1)}"
        f"{', by default' if is_assumed else ''}: each of {pairs:,} pairs "
        f"{prepared.epochs_at(steps, processes):.3g} times{held_out}"
    )
    if given.learning_rate is None:
        observer.noted(f"learning rate {prepared.learning_rate:g}, the default of {prepared.method.name}")
    unlabelled = sum(not pair.labelled for pair in prepared.train.pairs)
    if prepared.settings.labels == "none":
        observer.noted("without labels: λ is 1, and targets are what the reference wording, or a teacher, answers")
    elif unlabelled:
        observer.noted(f"{unlabelled} of {pairs} pairs have no label: they count only where wordings are compared")
    report_qualities(prepared.qualities, observer.noted, observer.warned)


def warn_of_plan(prepared: Preparation, observer: TrainingObserver) -> None:
    """Warn about unexpected consequences of the split and the settings."""
    split = prepared.split
    if split.by == "pair":
        observer.warned(
            "the held-out pairs are new examples, but some of their wordings are trained on: "
            "there are too few wordings to hold any out"
        )
    if split.unused:
        observer.warned(f"{split.unused} pairs have only held-out wordings and are not used")
    if prepared.initial is not None:
        base = prepared.model.identity
        for doubt in prepared.initial.doubts(base.name, base.revision):
            observer.warned(doubt)
    if prepared.method.trains == "weights" and prepared.model.dtype != "float32":
        observer.warned(
            f"training all weights in {prepared.model.dtype} rounds small steps away; use --dtype float32 "
            "--mixed-precision bf16"
        )
