"""The function `harden`: every setting is a parameter, and tasks and wordings are named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from phraseproof.alignment.settings import AlignmentSettings, Placement
from phraseproof.core import Task
from phraseproof.evaluation.observer import Observer, SilentObserver
from phraseproof.hardening.loop import HardenResult, run_hardening
from phraseproof.hardening.named import named_collections, named_tasks
from phraseproof.hardening.settings import HardenSettings, recommended_method
from phraseproof.instructions.collections import Collection
from phraseproof.models import ModelOptions
from phraseproof.training.log import TrainingObserver

_DEFAULTS = HardenSettings()
_ALIGNMENT = _DEFAULTS.alignment


def harden(  # noqa: PLR0913 - every setting is a parameter, so that help() shows it
    model: str,
    tasks: str | Sequence[str | Task],
    instructions: str | Sequence[str | Path | Collection],
    out: str | Path,
    *,
    data_dir: str | Path | None = None,
    held_out_share: float = _DEFAULTS.held_out_share,
    training_share: float = _DEFAULTS.training_share,
    max_pairs: int | None = _DEFAULTS.max_pairs,
    limit: int | None = _DEFAULTS.limit,
    seed: int = _DEFAULTS.seed,
    method: str | None = None,
    num_tokens: int = _ALIGNMENT.num_tokens,
    placement: Placement = _ALIGNMENT.placement,
    init: str = _ALIGNMENT.init,
    rank: int = _ALIGNMENT.rank,
    lora_alpha: float | None = _ALIGNMENT.lora_alpha,
    lora_dropout: float = _ALIGNMENT.lora_dropout,
    target_modules: str = _ALIGNMENT.target_modules,
    lambda_: float = _ALIGNMENT.lambda_,
    learning_rate: float | None = _ALIGNMENT.learning_rate,
    max_steps: int | None = _ALIGNMENT.max_steps,
    epochs: int | None = _ALIGNMENT.epochs,
    early_stopping_patience: int | None = _ALIGNMENT.early_stopping_patience,
    prompt_format: str = _ALIGNMENT.prompt_format,
    model_options: ModelOptions = ModelOptions(),
    observer: Observer | None = None,
    alignment_observer: TrainingObserver | None = None,
) -> HardenResult:
    """Measure a model, train it on some wordings, and measure it again on wordings that training never saw.

    The same call resumes a stopped run. `align` and `run_hardening` have the remaining settings.

    Args:
        model: a hub id or a folder.
        tasks: names of tasks and task files (`"mmlu,tickets.yaml"`), or `Task` objects. A task's demonstrations are
            trained on if it has any; otherwise its examples are split.
        instructions: names of collections and collection files, or `Collection` objects. Each task needs at least two
            wordings to train on and two to hold out.
        out: receives the run folders `base/`, `hardened/` and `reference/`, and `adapter/`.
        data_dir: a folder with the benchmarks' published files, instead of the hub.
        held_out_share: the share of wordings that training never sees.
        training_share: the share of a task's examples to train on, if it has no demonstrations.
        max_pairs: the maximum number of training pairs per task.
        limit: the maximum number of test examples per task.
        seed: the seed of the splits, the training and the interval.
        method: the alignment method (`align` lists them). `None` is `lora+paft+choice`, the method that helped a real
            model (docs/real-model.md), or `lora+paft` where a task has no options.
        num_tokens: the number of virtual tokens of the soft prompt.
        placement: the soft prompt's place: `input`, or `layers` (keys and values in every decoder layer).
        init: what training starts from: `random-vocabulary`, a text (soft prompts), or the folder of another adapter.
        rank: the rank of a low-rank adapter.
        lora_alpha: its weight, times its rank; `None` is twice the rank.
        lora_dropout: the share of its inputs that it drops in training.
        target_modules: the layers that it changes: `all-linear`, or names separated by commas.
        lambda_: the weight of the KL term, from 0 to 1.
        learning_rate: the learning rate of AdamW; `None` is the default of the method.
        max_steps: the maximum number of steps.
        epochs: the number of passes through the pairs. If `max_steps` is not given either, 480 steps of the default
            method, and 5 epochs of other methods.
        early_stopping_patience: stop after this number of evaluations without a lower held-out loss.
        prompt_format: `auto` (chat if the model declares a chat template), `plain`, `alpaca` or `chat`.
        model_options: how to load the model.
        observer: receives the progress of the evaluations.
        alignment_observer: receives the progress of the training.

    Returns:
        The gain on held-out wordings with its interval, and the two runs.

    Raises:
        UsageError: too few wordings or examples, or no two of a task's wordings can be paired.
    """
    warn = (observer or SilentObserver()).warned
    found = named_tasks(tasks, data_dir, warn)
    collections = named_collections(instructions)
    settings = HardenSettings(
        alignment=AlignmentSettings(
            method=method or recommended_method(found),
            num_tokens=num_tokens,
            placement=placement,
            init=init,
            rank=rank,
            lora_alpha=lora_alpha,
            lora_dropout=lora_dropout,
            target_modules=target_modules,
            lambda_=lambda_,
            learning_rate=learning_rate,
            max_steps=max_steps,
            epochs=epochs,
            early_stopping_patience=early_stopping_patience,
            prompt_format=prompt_format,
            seed=seed,
        ),
        held_out_share=held_out_share,
        training_share=training_share,
        max_pairs=max_pairs,
        limit=limit,
        seed=seed,
    )
    return run_hardening(
        model,
        found,
        collections,
        Path(out),
        settings,
        model_options=model_options,
        observers=(observer, alignment_observer),
    )
