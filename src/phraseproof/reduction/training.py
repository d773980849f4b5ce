"""Train an adapter for the model, tasks and wordings of a stored run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from phraseproof.errors import UsageError
from phraseproof.evaluation.observer import Observer
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.evaluation.stored_spec import spec_of_run
from phraseproof.hardening.loop import HardenResult, run_hardening
from phraseproof.hardening.settings import HardenSettings, recommended_method
from phraseproof.instructions.collections import load_collection
from phraseproof.store.queries import Run
from phraseproof.tasks import load_tasks
from phraseproof.training.log import TrainingObserver


def train_for(
    run: Run,
    folder: Path,
    *,
    max_steps: int | None = None,
    observers: tuple[Observer | None, TrainingObserver | None] = (None, None),
) -> HardenResult:
    """Do what `harden` does with the model, the tasks and all wordings of a run.

    Args:
        run: an evaluation; its options are read from its `run.json`.
        folder: receives the runs and the adapter.
        max_steps: the maximum number of training steps; by default that of the method.
        observers: of the evaluations and of the training.

    Raises:
        UsageError: the run's model, tasks or wordings exist only in the Python program that made it.
    """
    found = spec_of_run(run.content)
    spec = EvaluationSpec().with_changes(**found.data)
    named = [spec.model or "", *spec.tasks, *(name for names in spec.instructions.values() for name in names)]
    if lost := [name for name in named if name.startswith("python:")]:
        raise UsageError(
            f"{lost[0]} exists only in the program that made the run",
            where="--train",
            hint="Call phraseproof.harden in that program",
        )
    settings = HardenSettings(limit=spec.limit, seed=spec.seed)
    tasks = load_tasks(spec.tasks, data_dir=spec.data_dir)
    alignment = replace(
        settings.alignment, method=recommended_method(tasks), max_steps=max_steps, prompt_format=spec.prompt_format
    )
    names = dict.fromkeys(name for names in spec.instructions.values() for name in names)
    return run_hardening(
        spec.model or "",
        tasks,
        [load_collection(name) for name in names],
        folder,
        replace(settings, alignment=alignment),
        model_options=spec.model_options,
        observers=observers,
    )
