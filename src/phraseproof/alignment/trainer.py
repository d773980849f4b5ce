"""`align`: train a model on examples under several wordings, to reduce its sensitivity to them (paper, section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from phraseproof.alignment.loop.preparation import find_method
from phraseproof.alignment.merging import check_mergeable
from phraseproof.alignment.prepared_training import AlignmentResult, ValidationPairs, prepared_training
from phraseproof.alignment.settings import AlignmentSettings, KLDirection, KLSchedule, Labels, Placement, Schedule
from phraseproof.models import ModelOptions
from phraseproof.models.loading_cost import is_quick_to_load
from phraseproof.training.log import TrainingObserver

if TYPE_CHECKING:
    from phraseproof.alignment.loop.forecast import AlignmentForecast
    from phraseproof.alignment.pairs import ParaphraseSet
    from phraseproof.models.huggingface.model import HuggingFaceModel

__all__ = ["AlignmentResult", "AlignmentSettings", "align", "forecast", "train"]

_DEFAULTS = AlignmentSettings()

Pairs: TypeAlias = "Sequence[ParaphraseSet] | str | Path"
"""Paraphrase sets, or the path of a file of them."""


def align(  # noqa: PLR0913 - every setting is a parameter, so that help() shows it
    model: str | HuggingFaceModel,
    pairs: Pairs,
    out: str | Path,
    *,
    validation: Mapping[str, Pairs] | None = None,
    method: str = _DEFAULTS.method,
    num_tokens: int = _DEFAULTS.num_tokens,
    placement: Placement = _DEFAULTS.placement,
    init: str = _DEFAULTS.init,
    rank: int = _DEFAULTS.rank,
    lora_alpha: float | None = _DEFAULTS.lora_alpha,
    lora_dropout: float = _DEFAULTS.lora_dropout,
    target_modules: str = _DEFAULTS.target_modules,
    lambda_: float = _DEFAULTS.lambda_,
    kl_schedule: KLSchedule = _DEFAULTS.kl_schedule,
    kl_direction: KLDirection = _DEFAULTS.kl_direction,
    labels: Labels = _DEFAULTS.labels,
    guard: bool = _DEFAULTS.guard,
    learning_rate: float | None = _DEFAULTS.learning_rate,
    weight_decay: float = _DEFAULTS.weight_decay,
    paraphrases_per_batch: int = _DEFAULTS.paraphrases_per_batch,
    gradient_accumulation: int = _DEFAULTS.gradient_accumulation,
    schedule: Schedule = _DEFAULTS.schedule,
    warmup_steps: int = _DEFAULTS.warmup_steps,
    max_steps: int | None = _DEFAULTS.max_steps,
    epochs: int | None = _DEFAULTS.epochs,
    keep_epochs: Sequence[int] | Literal["all"] = _DEFAULTS.keep_epochs,
    seed: int = _DEFAULTS.seed,
    detach_reference: bool = _DEFAULTS.detach_reference,
    push_bound: float | None = _DEFAULTS.push_bound,
    reference_in_ce: bool = _DEFAULTS.reference_in_ce,
    held_out_fraction: float = _DEFAULTS.held_out_fraction,
    eval_every: int | None = _DEFAULTS.eval_every,
    early_stopping_patience: int | None = _DEFAULTS.early_stopping_patience,
    max_grad_norm: float | None = _DEFAULTS.max_grad_norm,
    prompt_format: str = _DEFAULTS.prompt_format,
    save_every: int = _DEFAULTS.save_every,
    save_every_seconds: float | None = _DEFAULTS.save_every_seconds,
    gradient_checkpointing: bool = _DEFAULTS.gradient_checkpointing,
    mixed_precision: str | None = _DEFAULTS.mixed_precision,
    merge: bool = False,
    model_options: ModelOptions = ModelOptions(),
    observer: TrainingObserver | None = None,
) -> AlignmentResult:
    """Train a soft prompt, a low-rank adapter or all weights on examples under several wordings.

    The same call again resumes a training that was stopped, and returns at once if it is finished.

    Args:
        model: a hub id, a folder, or a loaded Hugging Face model. An `ft*` method changes the weights of a loaded
            model, unless it has scored before: then its weights are loaded again.
        pairs: paraphrase sets, or the path of a JSON Lines file of them (docs/align.md).
        out: the folder for the adapter (or model), `phraseproof.json` and `training.jsonl`.
        validation: paraphrase sets, or files of them, by name: each is evaluated whenever held-out pairs are. They need
            labels, and stop nothing.
        method: what is trained (`pt`, `lora`, `dora`, `ft`), alone (cross-entropy) or with another loss: `pt+kl`,
            `lora+kl`, `dora+js`, `ft+swarm`, `lora+paft`. Soft prompts alone have `mse`; for them,
            `joint` and `negation` are the whole name. Or a method of an installed package.
        num_tokens: the number of virtual tokens of the soft prompt.
        placement: the soft prompt's place: `input`, or `layers` (keys and values in every decoder layer).
        init: what training starts from: `random-vocabulary`, a text (soft prompts), or the folder of another adapter.
        rank: the rank of a low-rank adapter.
        lora_alpha: its weight, times its rank; `None` is twice the rank.
        lora_dropout: the share of its inputs that it drops in training.
        target_modules: the layers that it changes: `all-linear` (attention and feed-forward layers), or names separated
            by commas.
        lambda_: the weight of the term that compares wordings, from 0 to 1; the cross-entropy has 1 - lambda_.
        kl_schedule: `constant`; `linear`, where the weight rises from 0 to lambda_ over the training; or `balanced`,
            where the term is scaled so that its gradient at the logits is as long as the cross-entropy's.
        kl_direction: `reverse`, KL(paraphrase || reference) as in the paper; `forward`; or `symmetric`.
        labels: `given`, or `none`: no pair is used as labelled, lambda_ is 1, and the targets are what the reference
            wording answers before training.
        guard: stop when cross-entropy on held-out pairs rises while KL falls, and keep the weights with the lowest
            cross-entropy; for methods that compare wordings.
        learning_rate: the learning rate of AdamW; `None` is 5e-4 for a soft prompt, 2e-4 for a low-rank adapter (1e-3
            for `lora+paft+choice` and `lora+paft`), 2e-5 for all weights.
        weight_decay: the weight decay of AdamW.
        paraphrases_per_batch: the number of wordings in a batch in addition to the reference.
        gradient_accumulation: the number of batches per step.
        schedule: the learning rate over the steps: `cosine` or `constant`.
        warmup_steps: the number of steps over which the learning rate rises from 0.
        max_steps: the maximum number of steps.
        epochs: the number of passes through the pairs. If `max_steps` is not given either, 480 steps of
            `lora+paft+choice` and `lora+paft`, and 5 epochs of other methods.
        keep_epochs: the epochs after which the weights are also kept, in `out/epochs/N`; or `all`.
        seed: the seed of all random draws.
        detach_reference: stop the gradient through the reference's distribution. Without it, training may collapse.
        push_bound: the maximum gain in nats per token from pushing two wordings apart; `None` is unbounded.
        reference_in_ce: include the reference wording in the cross-entropy.
        held_out_fraction: the share of pairs, and of wordings that pairs share, to hold out.
        eval_every: the number of steps between evaluations on held-out pairs; `None` is once per epoch.
        early_stopping_patience: stop after this number of evaluations without a lower held-out loss, and keep the best
            weights; `None` trains to the end.
        max_grad_norm: gradients with a larger norm are scaled down to it; `None` disables clipping.
        prompt_format: `auto` (chat if the model declares a chat template), `plain`, `alpaca` or `chat`.
        save_every: the number of steps between checkpoints.
        save_every_seconds: the number of seconds between further checkpoints; `None` is 60, or more where saving would
            take over 5% of the time.
        gradient_checkpointing: compute layers again in the backward pass: less memory, more time, equal numbers.
        mixed_precision: `no`, `bf16`, `fp16`, or `None` for Accelerate's configuration.
        merge: also write the model with the adapter in its weights, to `out/merged`. Only for low-rank adapters.
        model_options: how to load a model that is given by name. Its `max_length` also limits the pairs' prompts.
        observer: receives the progress.

    Returns:
        Where the adapter (or model) is, and the evaluations on held-out pairs.

    Raises:
        PhraseproofError: an argument or the data is wrong.
        RunError: the loss was not finite (the last good weights are kept in `out`), or the folder holds another
            training.
        ModelError: memory ran out, or a frozen model's weights changed.
    """
    settings = AlignmentSettings(
        method=method,
        num_tokens=num_tokens,
        placement=placement,
        init=init,
        rank=rank,
        lora_alpha=lora_alpha,
        lora_dropout=lora_dropout,
        target_modules=target_modules,
        lambda_=lambda_,
        kl_schedule=kl_schedule,
        kl_direction=kl_direction,
        labels=labels,
        guard=guard,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        paraphrases_per_batch=paraphrases_per_batch,
        gradient_accumulation=gradient_accumulation,
        schedule=schedule,
        warmup_steps=warmup_steps,
        max_steps=max_steps,
        epochs=epochs,
        keep_epochs=keep_epochs if isinstance(keep_epochs, str) else tuple(keep_epochs),
        seed=seed,
        detach_reference=detach_reference,
        push_bound=push_bound,
        reference_in_ce=reference_in_ce,
        eval_every=eval_every,
        early_stopping_patience=early_stopping_patience,
        max_grad_norm=max_grad_norm,
        prompt_format=prompt_format,
        save_every=save_every,
        save_every_seconds=save_every_seconds,
        held_out_fraction=held_out_fraction,
        gradient_checkpointing=gradient_checkpointing,
        mixed_precision=mixed_precision,
    )
    return train(
        model,
        _read(pairs),
        Path(out),
        settings,
        validation={name: _read(each) for name, each in (validation or {}).items()},
        model_options=model_options,
        observer=observer,
        merge=merge,
    )


def _read(pairs: Pairs) -> Sequence[ParaphraseSet] | Path:
    return Path(pairs) if isinstance(pairs, str) else pairs


def train(
    model: str | HuggingFaceModel,
    pairs: Sequence[ParaphraseSet] | Path,
    out: Path,
    settings: AlignmentSettings = AlignmentSettings(),
    *,
    validation: ValidationPairs | None = None,
    model_options: ModelOptions = ModelOptions(),
    observer: TrainingObserver | None = None,
    merge: bool = False,
) -> AlignmentResult:
    """`align`, with its settings as one value."""
    if merge:
        check_mergeable(find_method(settings.method))
    prepared = prepared_training(model, pairs, settings, validation=validation, model_options=model_options)
    with prepared as training:
        return training.run(out, observer=observer, merge=merge)


def forecast(
    model: str | HuggingFaceModel,
    pairs: Sequence[ParaphraseSet] | Path,
    settings: AlignmentSettings = AlignmentSettings(),
    *,
    validation: ValidationPairs | None = None,
    model_options: ModelOptions = ModelOptions(),
    is_timed: bool | None = None,
) -> AlignmentForecast:
    """The steps, tokens, time and memory of a training, without doing it. Nothing is written.

    Args:
        model, pairs, settings, validation, model_options: as in `train`.
        is_timed: do a few steps for the time and the memory; the model's weights are loaded for that. By default if
            they are on this machine and take at most 2 GiB.

    Raises:
        PhraseproofError: an argument or the data is wrong.
        ModelError: memory ran out, or a loss is not a finite number.
    """
    from phraseproof.alignment.loop.forecast import forecast_training

    entered = prepared_training(model, pairs, settings, validation=validation, model_options=model_options)
    with entered as training:
        prepared = training.preparation
        if is_timed is None:
            is_timed = is_quick_to_load(prepared.model)
        prepared.check_drawn(training.accelerator.num_processes)
        return forecast_training(prepared, training.accelerator, is_timed=is_timed)
