"""The step of studies that tune a model on instructions and answers, and the step that evaluates the tuned model."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.errors import UsageError
from phraseproof.identity import content_hash, file_hash
from phraseproof.models.options import ModelOptions
from phraseproof.store.training_record import read_record
from phraseproof.studies.alignment_step import aligned_base
from phraseproof.studies.material import OBSERVED, material_of
from phraseproof.studies.steps import EvaluationStep, identifying_options, slug
from phraseproof.studies.study import StepForecast, StudyRequest
from phraseproof.studies.training_progress import TrainingProgress
from phraseproof.tuning.settings import TuningSettings

if TYPE_CHECKING:
    from phraseproof.evaluation.observer import Observer
    from phraseproof.training.log import TrainingObserver
    from phraseproof.tuning.examples import TuningExample

_WITHOUT_EFFECT = ("save_every", "save_every_seconds", "gradient_checkpointing")
"""Settings that change no result (`training/folder.py`)."""


@dataclass(frozen=True)
class TuningStep:
    """A training by `tune`: all weights of a model, on instructions and their answers.

    Attributes:
        model: the base model.
        data: files of examples, or the examples.
        settings: the length, the learning rate, the seed and everything else.
        folder: of the tuned model. Its name has a hash of everything that changes the result.
        model_options: how the base model is loaded.
    """

    model: str
    data: tuple[Path, ...] | tuple[TuningExample, ...]
    settings: TuningSettings
    folder: Path
    model_options: ModelOptions = ModelOptions()

    @property
    def title(self) -> str:
        """As of every step."""
        return f"tune {self.model}, seed {self.settings.seed}"

    @property
    def origin(self) -> str:
        """The data, in a few words."""
        names = [each.name for each in self.data if isinstance(each, Path)]
        return ", ".join(names) or "the pocket's own data"

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to train."""
        return bool((read_record(self.folder) or {}).get("finished"))

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step. Prompts are the examples of all epochs; the remark says how many steps there are."""
        from phraseproof.training.log import read_log
        from phraseproof.tuning.trainer import forecast_run

        is_finished = self.is_finished
        found = forecast_run(
            self.model,
            self.data,
            self.settings,
            model_options=self.model_options,
            is_timed=None if timed and not is_finished else False,
        )
        done = found.steps if is_finished else max((row["step"] for row in read_log(self.folder)), default=0)
        share = max(0.0, 1 - done / found.steps)
        seconds = 0.0 if is_finished else found.seconds
        prompts = found.examples * found.epochs
        return StepForecast(
            round(prompts),
            round(prompts * share),
            round(found.epoch_tokens.read * found.epochs * share),
            None if seconds is None else seconds * share,
            f"{found.steps:,} training steps, {found.epochs:.3g} passes through {found.examples:,} examples",
        )

    def carry_out(self, observer: Observer) -> int:
        """As of every step. A stopped training is resumed; a finished one is left as it is."""
        self.train(self.folder, TrainingProgress(observer))
        return 0

    def train(self, folder: Path, observer: TrainingObserver, *, device: str | None = None) -> None:
        """As of every `TrainingStep`."""
        from phraseproof.evaluation.workers import by_default_on
        from phraseproof.tuning.trainer import run_tuning

        run_tuning(
            self.model,
            self.data,
            folder,
            self.settings,
            model_options=by_default_on(self.model_options, device),
            observer=observer,
        )

    def elsewhere(self) -> TuningStep:
        """As of every `TrainingStep`: with the examples of its files."""
        from phraseproof.tuning.examples import TuningExample, load_examples

        read = [[each] if isinstance(each, TuningExample) else load_examples(each).examples for each in self.data]
        return replace(self, data=tuple(example for examples in read for example in examples))


@dataclass(frozen=True)
class TunedEvaluation(EvaluationStep):
    """The evaluation of a tuned model.

    Attributes:
        training: what makes the model.
        untuned: the same evaluation of the base model, which is not carried out.
    """

    training: TuningStep
    untuned: EvaluationStep

    @property
    def title(self) -> str:
        """As of every step."""
        return f"evaluate {self.training.model}, tuned"

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step. Before the training, it is the forecast of the base model on all prompts."""
        if self.training.is_finished:
            return super().forecast(timed=timed)
        return EvaluationStep(self.untuned.spec, self.folder).forecast(timed=timed)


def tuning_step(request: StudyRequest, model: str) -> TuningStep:
    """The instruction tuning of a model as a request wants it, with the paper's settings unless they do not suit it.

    Args:
        request: its data; shipped models have their own.
        model: a name, hub id or folder.

    Raises:
        UsageError: there is no data, or the request has an adapter.
        ModelError: the model cannot be trained, or is not there.
        FileError: a file of data is not there.
    """
    if request.model_options.adapter is not None:
        raise UsageError(
            "a study that trains a model cannot start from an adapter", where="--adapter", hint="Leave --adapter out"
        )
    from phraseproof.training.base_model import load_base

    material = material_of(model)
    data: tuple[Path, ...] | tuple[TuningExample, ...] = request.data
    content: object = [file_hash(path) for path in request.data]
    if not request.data:
        data = own_examples(model)
        content = [example.identity() for example in data]
    # Here, so that a model that cannot be trained is refused before anything is evaluated.
    load_base(model, request.model_options, trains_weights=True)
    settings = replace(
        material.tuning,
        max_steps=material.tuning.max_steps if request.max_steps is None else request.max_steps,
        prompt_format=prompt_format(request, model),
        seed=request.seed,
    )
    chosen = {name: value for name, value in settings.as_record().items() if name not in _WITHOUT_EFFECT}
    identity = [model, identifying_options(request.model_options), chosen, content]
    name = f"{slug(model)}-tuned-{content_hash(identity)[:8]}"
    return TuningStep(model, data, settings, request.out / "trainings" / name, request.model_options)


def length_of(training: TuningStep) -> str:
    """How long a finished tuning was: its epochs, or its steps where their number ended it."""
    settings, record = training.settings, read_record(training.folder) or {}
    if settings.max_steps is None:
        return f"{settings.epochs} epochs"
    steps = record["result"]["steps"]
    per_epoch = math.ceil(record["examples"]["count"] / settings.examples_per_step)
    return f"{steps:,} steps ({steps / per_epoch:.3g} epochs)"


def own_examples(model: str) -> tuple[TuningExample, ...]:
    """The data of models that are shipped untuned.

    Raises:
        UsageError: the model is another one.
    """
    if not material_of(model).bases:
        raise UsageError(
            "a study that tunes a model needs instructions and their answers",
            expected="--data FILE, such as Alpaca's alpaca_data.json",
            where="--data",
            hint="docs/tune.md describes the forms",
        )
    from phraseproof.pocket.tuning import tuning_examples

    return tuple(tuning_examples())


def prompt_format(request: StudyRequest, model: str) -> str:
    """The prompt format of tuning and evaluation: Alpaca's, as in the paper, unless the user names one."""
    if request.prompt_format != "auto" or material_of(model).bases:
        return request.prompt_format
    return "alpaca"


def tuned_evaluation(request: StudyRequest, training: TuningStep) -> TunedEvaluation:
    """The evaluation of a tuned model under observed and unobserved wordings.

    The observed ones are those that the data is made of: the collection `alpaca`, or the pocket's own.

    Args:
        request: its tasks and wordings come before those of the base model's material.
        training: makes the model.
    """
    material = material_of(training.model)
    groups = {OBSERVED: material.tuned_on, **request.instructions}
    asked = replace(request, instructions=groups, prompt_format=training.settings.prompt_format)
    untuned = aligned_base(asked, training.model)
    spec = untuned.spec.with_changes(model=str(training.folder))
    suffix = training.folder.name.rpartition("-")[2]
    return TunedEvaluation(spec, untuned.folder.with_name(f"{untuned.folder.name}-tuned-{suffix}"), training, untuned)
