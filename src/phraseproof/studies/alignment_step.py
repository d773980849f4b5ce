"""The step of studies that align a model, and the steps that evaluate the aligned model and read its hidden states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.errors import UsageError
from phraseproof.identity import content_hash
from phraseproof.instructions.families import AUTO, family_of
from phraseproof.models.options import ModelOptions
from phraseproof.studies.alignment_pairs import AlignmentPairs
from phraseproof.studies.material import material_of
from phraseproof.studies.representation_step import RepresentationStep
from phraseproof.studies.steps import EvaluationStep, identifying_options, main_step, slug
from phraseproof.studies.study import StepForecast, StudyRequest
from phraseproof.studies.training_progress import TrainingProgress

if TYPE_CHECKING:
    from phraseproof.alignment.pairs import ParaphraseSet
    from phraseproof.evaluation.observer import Observer
    from phraseproof.evaluation.spec import EvaluationSpec
    from phraseproof.training.log import TrainingObserver

LEARNING_RATE = 5e-4
"""The paper's, "for all experiments" (appendix B.3): also where all weights are trained."""

_OF_PROMPTS = ("init", "num_tokens", "placement")
_WITHOUT_EFFECT = ("save_every", "save_every_seconds", "gradient_checkpointing")
"""Settings that change no result (`training/folder.py`)."""


@dataclass(frozen=True)
class AlignmentStep:
    """A training by `align`: a soft prompt, a low-rank adapter or all weights, on examples under several wordings.

    Attributes:
        model: the base model.
        pairs: what it is trained on.
        settings: the method, its seed and everything else.
        folder: of the adapter or model. Its name has a hash of everything that changes the result.
        model_options: how the base model is loaded.
        notes: what a reader must know of the pairs.
        label: how it is called in tables; empty for its method.
        validation: further sets that are evaluated after every epoch, by name.
    """

    model: str
    pairs: tuple[ParaphraseSet, ...]
    settings: AlignmentSettings
    folder: Path
    model_options: ModelOptions = ModelOptions()
    notes: tuple[str, ...] = ()
    label: str = ""
    validation: Mapping[str, tuple[ParaphraseSet, ...]] = field(default_factory=dict[str, "tuple[ParaphraseSet, ...]"])

    @property
    def title(self) -> str:
        """As of every step."""
        return f"align {self.model} by {self._training}"

    @property
    def result(self) -> str:
        """The aligned model, in a few words."""
        return f"{self.model} after {self._training}"

    @property
    def _training(self) -> str:
        label = f" ({self.label})" if self.label else ""
        return f"{self.settings.method}, seed {self.settings.seed}{label}"

    @property
    def writes_adapter(self) -> bool:
        """Whether the folder gets an adapter; else it gets a model with all its weights."""
        from phraseproof.alignment.loop.preparation import find_method

        return find_method(self.settings.method).writes_adapter

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to train."""
        from phraseproof.alignment.prepared_training import is_finished

        return is_finished(self.folder)

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step. Prompts are those of all training steps; the remark says how many steps there are."""
        from phraseproof.alignment.trainer import forecast
        from phraseproof.training.log import read_log

        is_finished = self.is_finished
        found = forecast(
            self.model,
            self.pairs,
            self.settings,
            validation=self.validation,
            model_options=self.model_options,
            is_timed=None if timed and not is_finished else False,
        )
        done = found.steps if is_finished else max((row["step"] for row in read_log(self.folder)), default=0)
        left = max(0, found.steps - done)
        seconds = 0.0 if is_finished else found.seconds
        if seconds is not None and found.steps:
            seconds *= left / found.steps
        return StepForecast(
            round(found.steps * found.prompts_per_step),
            round(left * found.prompts_per_step),
            left * found.tokens.read,
            seconds,
            f"{found.steps:,} training steps, {found.epochs:.1f} passes through {found.pairs:,} pairs",
        )

    def carry_out(self, observer: Observer) -> int:
        """As of every step. A stopped training is resumed; a finished one is left as it is."""
        self.train(self.folder, TrainingProgress(observer))
        return 0

    def train(self, folder: Path, observer: TrainingObserver, *, device: str | None = None) -> None:
        """As of every `TrainingStep`."""
        from phraseproof.alignment.trainer import train
        from phraseproof.evaluation.workers import by_default_on

        train(
            self.model,
            self.pairs,
            folder,
            self.settings,
            validation=self.validation,
            model_options=by_default_on(self.model_options, device),
            observer=observer,
        )

    def elsewhere(self) -> AlignmentStep:
        """As of every `TrainingStep`: the pairs are in it."""
        return self

    def aligned(self, spec: EvaluationSpec) -> EvaluationSpec:
        """The spec of a run of the base model, for the aligned model."""
        if self.writes_adapter:
            return spec.with_changes(model_options=replace(spec.model_options, adapter=self.folder))
        groups = {group: _named(members, self.model) for group, members in spec.instructions.items()}
        return spec.with_changes(model=str(self.folder), instructions=groups)


@dataclass(frozen=True)
class AlignedEvaluation(EvaluationStep):
    """The evaluation of an aligned model, on the prompts of a run of its base model."""

    training: AlignmentStep
    base: EvaluationStep

    @property
    def title(self) -> str:
        """As of every step."""
        return f"evaluate {self.training.result}"

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step. Before the training, it is the forecast of the base model on all prompts."""
        if self.training.is_finished:
            return super().forecast(timed=timed)
        return EvaluationStep(self.base.spec, self.folder).forecast(timed=timed)


@dataclass(frozen=True)
class AlignedRepresentations(RepresentationStep):
    """The hidden states of an aligned model, for the prompts whose states were read of its base model."""

    training: AlignmentStep
    base: RepresentationStep

    @property
    def title(self) -> str:
        """As of every step."""
        return f"read the hidden states of {self.training.result}"

    def forecast(self, *, timed: bool) -> StepForecast:
        """As of every step. Before the training, it is the forecast of the base model on all prompts."""
        if self.training.is_finished:
            return super().forecast(timed=timed)
        return RepresentationStep(self.base.spec, self.folder).forecast(timed=timed)


def alignment_step(
    request: StudyRequest,
    model: str,
    *,
    pairs: AlignmentPairs | Sequence[ParaphraseSet],
    settings: AlignmentSettings,
    label: str = "",
    validation: Mapping[str, Sequence[ParaphraseSet]] | None = None,
) -> AlignmentStep:
    """The training of a model as a request wants it.

    Args:
        request: its options of the model and its folder.
        model: a name, hub id or folder.
        pairs: such as `alignment_pairs(request, model)`.
        settings: such as `study_settings(request, model, "pt+kl")`.
        label: how it is called in tables; empty for its method.
        validation: further sets to evaluate after every epoch, by name.

    Raises:
        UsageError: the request has an adapter.
        ModelError: the model cannot be trained, or is not there.
    """
    from phraseproof.training.base_model import load_base

    if request.model_options.adapter is not None:
        raise UsageError(
            "a study that trains a model cannot start from an adapter", where="--adapter", hint="Leave --adapter out"
        )
    # Here, so that a model that cannot be trained is refused before anything is evaluated.
    load_base(model, request.model_options, trains_weights=False)
    usual = asdict(AlignmentSettings())
    chosen = {
        name: value
        for name, value in asdict(settings).items()
        if name not in _WITHOUT_EFFECT and (value != usual[name] or name == "method")
    }
    sets, notes = (pairs.sets, tuple(pairs.notes)) if isinstance(pairs, AlignmentPairs) else (tuple(pairs), ())
    further = {name: tuple(each) for name, each in (validation or {}).items()}
    options = identifying_options(request.model_options)
    identity = [model, options, chosen, [pair.identity(with_options=True) for pair in sets]]
    if further:
        identity.append({name: [pair.identity(with_options=True) for pair in each] for name, each in further.items()})
    folder = request.out / "trainings" / f"{slug(model)}-{slug(settings.method)}-{content_hash(identity)[:8]}"
    return AlignmentStep(model, sets, settings, folder, request.model_options, notes, label, further)


def study_settings(
    request: StudyRequest, model: str, method: str, *, seed: int | None = None, **changes: object
) -> AlignmentSettings:
    """The settings of a training: the paper's, and for models that are shipped those that suit them.

    Args:
        request: its seed, its prompt format, and its number of steps and of batches per step, where it has them.
        model: whose material has the settings.
        method: a name of `align`.
        seed: of the training; by default the request's.
        **changes: other settings.
    """
    from phraseproof.alignment.loop.preparation import find_method

    own = material_of(model).alignment
    # The pocket's soft prompt has its own start and learning rate; they mean nothing to other methods.
    suited = (
        own
        if find_method(method).trains == "prompt"
        else replace(own, learning_rate=LEARNING_RATE, **_defaults(_OF_PROMPTS))
    )
    fields: dict[str, object] = {
        "method": method,
        "seed": request.seed if seed is None else seed,
        "prompt_format": request.prompt_format,
    }
    shorter = {"max_steps": request.max_steps, "gradient_accumulation": request.gradient_accumulation}
    fields |= {name: value for name, value in shorter.items() if value is not None}
    return replace(suited, **(fields | changes))  # pyright: ignore[reportArgumentType] - the settings check their types


def training_seeds(request: StudyRequest, *, default: int = 1) -> range:
    """The seeds of the trainings of a study: as many as the user wants, from the request's seed on."""
    return range(request.seed, request.seed + (request.seeds or default))


def aligned_base(request: StudyRequest, model: str) -> EvaluationStep:
    """The run of the base model that studies of alignment compare with, which they share.

    It is the run of `table-3`, but for models that are shipped: theirs has fewer tasks and examples, because it is
    repeated for every training.
    """
    material = material_of(model)
    limit = material.aligned_limit if request.limit is None else request.limit
    return main_step(request, model, tasks=material.aligned_tasks, limit=limit)


def aligned_evaluation(training: AlignmentStep, base: EvaluationStep) -> AlignedEvaluation:
    """The evaluation of the model that a training makes, on the prompts of a run of the base model.

    Args:
        training: of the base model.
        base: its run, such as `aligned_base(request, model)`.
    """
    return AlignedEvaluation(training.aligned(base.spec), _folder(training, base.folder), training, base)


def alignments(
    request: StudyRequest, model: str, base: EvaluationStep, pairs: Mapping[str, AlignmentPairs]
) -> Iterator[AlignmentStep | AlignedEvaluation]:
    """For every seed and method a training, and the run of what it makes.

    Args:
        request: as in `alignment_step`.
        model: likewise.
        base: as in `aligned_evaluation`.
        pairs: by method of `align` what it is trained on.
    """
    for seed in training_seeds(request):
        for method, own in pairs.items():
            settings = study_settings(request, model, method, seed=seed)
            training = alignment_step(request, model, pairs=own, settings=settings)
            yield training
            yield aligned_evaluation(training, base)


def aligned_representations(training: AlignmentStep, base: RepresentationStep) -> AlignedRepresentations:
    """The hidden states of the model that a training makes, in the folder of its evaluation.

    Args:
        training: of the base model.
        base: the step that reads the base model's, in the folder of its run.
    """
    return AlignedRepresentations(training.aligned(base.spec), _folder(training, base.folder), training, base)


def _folder(training: AlignmentStep, base: Path) -> Path:
    """The run of an aligned model: named by the run of the base model and by the training."""
    suffix = training.folder.name.rpartition("-")[2]
    return base.with_name(f"{base.name}-{slug(training.settings.method)}-{suffix}")


def _named(members: Sequence[str], model: str) -> tuple[str, ...]:
    """The collections, with those that the model was tuned on by name: the folder of a trained model has no family."""
    family = family_of(model)
    observed = (AUTO,) if family is None else family.observed
    return tuple(name for member in members for name in (observed if member == AUTO else (member,)))


def _defaults(names: Sequence[str]) -> dict[str, object]:
    usual = asdict(AlignmentSettings())
    return {name: usual[name] for name in names}
