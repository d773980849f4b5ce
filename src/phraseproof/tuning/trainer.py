"""`tune`: instruction tuning, all weights of a model trained on examples of instructions and answers."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from phraseproof.models import ModelOptions
from phraseproof.models.loading_cost import is_quick_to_load
from phraseproof.training.acceleration import accelerated
from phraseproof.training.folder import check_folder, only_trainer
from phraseproof.training.log import SilentTrainingObserver, TrainingObserver, read_log
from phraseproof.training.work import Schedule, StepTokens, epoch_folder
from phraseproof.tuning.preparation import Data, TuningPreparation, prepare_tuning
from phraseproof.tuning.settings import TooLong, TuningSettings
from phraseproof.tuning.validation import ValidationLosses

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.models.huggingface.model import HuggingFaceModel
    from phraseproof.tuning.forecast import TuningForecast

_DEFAULTS = TuningSettings()

_LESS_MEMORY = "Try a smaller --examples-per-pass, --gradient-checkpointing, or --mixed-precision bf16"


@dataclass(frozen=True, slots=True)
class TuningResult:
    """The result of a finished instruction tuning.

    Attributes:
        folder: the model folder.
        steps: the number of steps done.
        epochs: the folders of the weights that were kept after an epoch, by its number.
        validation: the losses on the validation files after that number of epochs; 0 is before training, and a
            training that `max_steps` ends within an epoch has a fraction. Empty without validation files.
        tokens: that training read, and that its loss was computed on, over all epochs.
        seconds: the time spent in steps and evaluations, over all sessions.
    """

    folder: Path
    steps: int
    epochs: Mapping[int, Path]
    validation: Mapping[float, ValidationLosses]
    tokens: StepTokens
    seconds: float


def tune(  # noqa: PLR0913 - every setting is a parameter, so that help() shows it
    model: str | HuggingFaceModel,
    data: Data,
    out: str | Path,
    *,
    validation: Mapping[str, Data] | None = None,
    learning_rate: float = _DEFAULTS.learning_rate,
    weight_decay: float = _DEFAULTS.weight_decay,
    schedule: Schedule = _DEFAULTS.schedule,
    warmup_ratio: float = _DEFAULTS.warmup_ratio,
    epochs: int = _DEFAULTS.epochs,
    max_steps: int | None = _DEFAULTS.max_steps,
    examples_per_step: int = _DEFAULTS.examples_per_step,
    examples_per_pass: int = _DEFAULTS.examples_per_pass,
    max_tokens: int = _DEFAULTS.max_tokens,
    too_long: TooLong = _DEFAULTS.too_long,
    max_grad_norm: float | None = _DEFAULTS.max_grad_norm,
    prompt_format: str = _DEFAULTS.prompt_format,
    seed: int = _DEFAULTS.seed,
    keep_epochs: Sequence[int] | Literal["all"] = _DEFAULTS.keep_epochs,
    save_every: int = _DEFAULTS.save_every,
    save_every_seconds: float | None = _DEFAULTS.save_every_seconds,
    gradient_checkpointing: bool = _DEFAULTS.gradient_checkpointing,
    mixed_precision: str | None = _DEFAULTS.mixed_precision,
    model_options: ModelOptions = ModelOptions(),
    observer: TrainingObserver | None = None,
) -> TuningResult:
    """Train all weights of a model on examples of instructions and answers. The loss is that of the answers' tokens.

    The same call again resumes a training that was stopped, and returns at once if it is finished.

    Args:
        model: a hub id, a folder, or a loaded Hugging Face model, whose weights are changed.
        data: files of examples (docs/tune.md), or the examples.
        out: the folder for the model, `phraseproof.json` and `training.jsonl`.
        validation: files of examples by name: each is evaluated before the first step and after every epoch.
        learning_rate: the learning rate of AdamW.
        weight_decay: the weight decay of AdamW; biases and the weights of normalization have none.
        schedule: the learning rate over the steps: `cosine` or `constant`.
        warmup_ratio: the share of the steps over which the learning rate rises from 0.
        epochs: the number of passes through the examples.
        max_steps: the maximum number of steps.
        examples_per_step: the number of examples per step, over all processes.
        examples_per_pass: the number of examples that a process runs at once.
        max_tokens: the largest number of tokens of prompt and answer together; of each in an encoder-decoder.
        too_long: `truncate` cuts answers that are too long, `skip` leaves such examples out.
        max_grad_norm: gradients with a larger norm are scaled down to it; `None` disables clipping.
        prompt_format: `auto` (chat if the model declares a chat template), `plain`, `alpaca` or `chat`.
        seed: the seed of the order of the examples.
        keep_epochs: the epochs after which the weights are kept as a model folder, `out/epochs/N`; or `all`.
        save_every: the number of steps between checkpoints.
        save_every_seconds: the number of seconds between further checkpoints; `None` is 60, or more where saving would
            take over 5% of the time.
        gradient_checkpointing: compute layers again in the backward pass: less memory, more time, equal numbers.
        mixed_precision: `no`, `bf16`, `fp16`, or `None` for Accelerate's configuration.
        model_options: how to load a model that is given by name.
        observer: receives the progress.

    Raises:
        PhraseproofError: an argument or the data is wrong.
        RunError: the loss was not finite (the last good weights are kept in `out`), or the folder holds another
            training.
        ModelError: memory ran out.
    """
    settings = TuningSettings(
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        schedule=schedule,
        warmup_ratio=warmup_ratio,
        epochs=epochs,
        max_steps=max_steps,
        examples_per_step=examples_per_step,
        examples_per_pass=examples_per_pass,
        max_tokens=max_tokens,
        too_long=too_long,
        max_grad_norm=max_grad_norm,
        prompt_format=prompt_format,
        seed=seed,
        keep_epochs=keep_epochs if isinstance(keep_epochs, str) else tuple(keep_epochs),
        save_every=save_every,
        save_every_seconds=save_every_seconds,
        gradient_checkpointing=gradient_checkpointing,
        mixed_precision=mixed_precision,
    )
    return run_tuning(
        model, data, Path(out), settings, validation=validation, model_options=model_options, observer=observer
    )


def run_tuning(
    model: str | HuggingFaceModel,
    data: Data,
    out: Path,
    settings: TuningSettings = _DEFAULTS,
    *,
    validation: Mapping[str, Data] | None = None,
    model_options: ModelOptions = ModelOptions(),
    observer: TrainingObserver | None = None,
) -> TuningResult:
    """`tune`, with its settings as one value."""
    from phraseproof.training.loop import TrainingLoop
    from phraseproof.tuning.work import TuningWork

    observer = observer or SilentTrainingObserver()
    with _prepared(model, data, validation, settings, model_options) as (prepared, accelerator):
        with only_trainer(out, accelerator):
            record = check_folder(out, prepared.record, TuningSettings().as_record())
            accelerator.wait_for_everyone()
            if record is None or not record.get("finished"):
                loop = TrainingLoop(TuningWork(prepared, accelerator), prepared.plan(), out, accelerator, observer)
                if accelerator.is_main_process:
                    _note(prepared, observer)
                record = loop.run()
        return _result(out, record, prepared)


def forecast_run(
    model: str | HuggingFaceModel,
    data: Data,
    settings: TuningSettings = _DEFAULTS,
    *,
    validation: Mapping[str, Data] | None = None,
    model_options: ModelOptions = ModelOptions(),
    is_timed: bool | None = None,
) -> TuningForecast:
    """The steps, tokens, time and memory of a training, without doing it. Nothing is written.

    Args:
        model, data, settings, validation, model_options: as in `run_tuning`.
        is_timed: do a few steps for the time and the memory; the model's weights are loaded for that. By default if
            they are on this machine and take at most 2 GiB.

    Raises:
        PhraseproofError: an argument or the data is wrong.
        ModelError: memory ran out, or a loss is not a finite number.
    """
    from phraseproof.tuning.forecast import forecast_tuning

    with _prepared(model, data, validation, settings, model_options) as (prepared, accelerator):
        if is_timed is None:
            is_timed = is_quick_to_load(prepared.model)
        return forecast_tuning(prepared, accelerator, is_timed=is_timed)


@contextlib.contextmanager
def _prepared(
    model: str | HuggingFaceModel,
    data: Data,
    validation: Mapping[str, Data] | None,
    settings: TuningSettings,
    options: ModelOptions,
) -> Generator[tuple[TuningPreparation, Accelerator]]:
    with accelerated(settings.mixed_precision, options, less_memory=_LESS_MEMORY) as (accelerator, own_options):
        prepared = prepare_tuning(model, data, validation or {}, settings, own_options)
        yield prepared.run_by(accelerator.num_processes, accelerator.mixed_precision), accelerator


def _note(prepared: TuningPreparation, observer: TrainingObserver) -> None:
    """Report the length of the training, and what was assumed or left out."""
    settings, tokens = prepared.settings, prepared.train
    observer.noted(
        f"{prepared.steps:,} steps of {settings.examples_per_step} examples: {len(tokens.rows):,} examples, "
        f"{tokens.read:,} tokens, {tokens.trained:,} of them in answers; prompt format {settings.prompt_format}"
    )
    for note in prepared.notes:
        observer.noted(note)
    if prepared.model.dtype != "float32":
        observer.warned(
            f"training all weights in {prepared.model.dtype} rounds small steps away; use --dtype float32 "
            "--mixed-precision bf16"
        )


def _result(out: Path, record: Mapping[str, object], prepared: TuningPreparation) -> TuningResult:
    result = cast("Mapping[str, Any]", record["result"])
    per_epoch = prepared.order.steps_per_epoch
    validation: dict[float, ValidationLosses] = {}
    for row in read_log(out):
        if "held_out" in row:
            epochs = row["step"] / per_epoch
            losses = ValidationLosses.from_record(cast("Mapping[str, object]", row["held_out"]))
            validation[int(epochs) if epochs.is_integer() else epochs] = losses
    kept = {epoch: out / epoch_folder(epoch) for epoch in prepared.settings.kept_epochs}
    return TuningResult(
        folder=out,
        steps=result["steps"],
        epochs={epoch: folder for epoch, folder in kept.items() if epoch * per_epoch <= result["steps"]},
        validation=validation,
        tokens=StepTokens(**result["tokens"]),
        seconds=result["seconds"],
    )
