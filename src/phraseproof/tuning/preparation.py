"""Resolve and check an instruction tuning before anything is computed: model, examples, tokens, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from phraseproof.errors import UsageError
from phraseproof.identity import content_hash
from phraseproof.instructions.fingerprint import fingerprint
from phraseproof.instructions.render import resolve_format
from phraseproof.models import ModelOptions
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.training.base_model import load_base
from phraseproof.training.folder import environment, run_by
from phraseproof.training.setting_checks import check_kept_step
from phraseproof.training.work import StepTokens, TrainingPlan, epoch_folder
from phraseproof.tuning.examples import ExamplesOfFile, TuningExample, load_examples
from phraseproof.tuning.order import ExampleOrder
from phraseproof.tuning.settings import TuningSettings
from phraseproof.tuning.tokens import ExampleTokens, tokenize_examples

if TYPE_CHECKING:
    from phraseproof.core import Model
    from phraseproof.models.huggingface.trainable import ModelToTrain

Data = str | Path | Sequence[str | Path] | Sequence[TuningExample]
"""A file of examples, several of them, or the examples themselves."""


@dataclass(frozen=True)
class TuningPreparation:
    """Everything an instruction tuning needs. No weights are loaded yet.

    Attributes:
        model: the model to tune.
        settings: with the prompt format resolved.
        train: the examples' tokens.
        validation: those of the validation files, by name.
        record: the content of `phraseproof.json`, except the result of the training.
        notes: what was left out or cut, for the user.
    """

    model: ModelToTrain
    settings: TuningSettings
    train: ExampleTokens
    validation: Mapping[str, ExampleTokens]
    record: Mapping[str, object]
    notes: tuple[str, ...]

    def run_by(self, processes: int, precision: str) -> TuningPreparation:
        """The same, with a record that says how it is computed."""
        return replace(self, record=run_by(self.record, processes, precision))

    @property
    def order(self) -> ExampleOrder:
        """The examples of every step."""
        return ExampleOrder(len(self.train.rows), self.settings.examples_per_step, self.settings.seed)

    @property
    def steps(self) -> int:
        """The number of steps of the whole training."""
        steps = self.settings.epochs * self.order.steps_per_epoch
        return min(steps, self.settings.max_steps or steps)

    def step_tokens(self, order: ExampleOrder, step: int) -> StepTokens:
        """The tokens of a step, over all processes."""
        rows = [self.train.rows[index] for index in order.step(step)]
        trained = sum(len(row.target) for row in rows)
        return StepTokens(trained + sum(len(row.context) for row in rows), trained)

    def plan(self) -> TrainingPlan:
        """The plan of the training. Validation files are evaluated after every epoch.

        Raises:
            UsageError: the training ends before an epoch whose weights shall be kept.
        """
        settings, per_epoch = self.settings, self.order.steps_per_epoch
        for epoch in settings.kept_epochs if settings.keep_epochs != "all" else ():
            check_kept_step(epoch, epoch * per_epoch, self.steps)
        return TrainingPlan(
            steps=self.steps,
            eval_every=per_epoch,
            learning_rate=settings.learning_rate,
            warmup_steps=settings.warmup_steps(self.steps),
            schedule=settings.schedule,
            save_every=settings.save_every,
            save_every_seconds=settings.save_every_seconds,
            batch=f"{settings.examples_per_step} examples",
            record=self.record,
            exports={epoch * per_epoch: epoch_folder(epoch) for epoch in settings.kept_epochs},
        )


def prepare_tuning(
    model: str | HuggingFaceModel,
    data: Data,
    validation: Mapping[str, Data],
    settings: TuningSettings,
    model_options: ModelOptions,
) -> TuningPreparation:
    """Load and check everything except the weights.

    Raises:
        UsageError: no example is left, or settings that do not fit the model.
        ModelError: a model that cannot be trained.
        FileError: a file that cannot be read.
    """
    loaded = load_base(model, model_options, trains_weights=True)
    # A cached property satisfies the protocol's property, but type checkers do not accept that.
    settings = replace(settings, prompt_format=resolve_format(settings.prompt_format, cast("Model", loaded)))
    notes: list[str] = []
    examples, train = _tokenized("", data, loaded, settings, notes)
    held_out = {name: _tokenized(name, each, loaded, settings, notes) for name, each in validation.items()}
    identity = asdict(loaded.identity)
    wordings = [example.wording or example.instruction for example in examples]
    record: dict[str, object] = {
        "kind": "model",
        "finished": False,
        "base_model": {**identity, "settings": dict(identity["settings"])},
        "settings": settings.as_record(),
        "examples": {
            "count": len(train.rows),
            "content": content_hash([example.identity() for example in examples]),
            "tokens": {"read": train.read, "trained": train.trained},
            "truncated": train.truncated,
            "validation": {
                name: {"count": len(tokens.rows), "content": content_hash([each.identity() for each in own])}
                for name, (own, tokens) in held_out.items()
            },
        },
        "wordings": {fingerprint(text): text for text in reversed(wordings)},
        "held_out_wordings": {},
        "environment": environment(),
    }
    return TuningPreparation(
        loaded, settings, train, {name: tokens for name, (_, tokens) in held_out.items()}, record, tuple(notes)
    )


def _tokenized(
    name: str, data: Data, model: ModelToTrain, settings: TuningSettings, notes: list[str]
) -> tuple[list[TuningExample], ExampleTokens]:
    """The examples that are used, and their tokens; adds to `notes` what is not used as it is."""
    given = _read(data)
    tokens = tokenize_examples(
        given.examples,
        model,
        prompt_format=settings.prompt_format,
        max_tokens=settings.max_tokens,
        too_long=settings.too_long,
    )
    if not tokens.rows:
        raise UsageError(
            "no example is short enough",
            expected=f"at most {settings.max_tokens} tokens",
            where=f"--validation {name}" if name else "--data",
            hint="Try a larger --max-tokens",
        )
    prefix = f"validation {name}: " if name else ""
    left_out = len(given.examples) - len(tokens.rows)
    for count, text in (
        (given.without_answer, "without an answer left out"),
        (left_out, f"left out: more than {settings.max_tokens} tokens"),
        (tokens.truncated, f"answers cut to {settings.max_tokens} tokens"),
    ):
        if count:
            notes.append(f"{prefix}{count:,} of {len(given.examples) + given.without_answer:,} examples {text}")
    if tokens.unknown:
        share = tokens.unknown / tokens.trained
        notes.append(f"{prefix}{tokens.unknown:,} of the answers' tokens ({share:.1%}) are unknown to the tokenizer")
    return [given.examples[index] for index in tokens.kept], tokens


def _read(data: Data) -> ExamplesOfFile:
    if isinstance(data, str | Path):
        return load_examples(Path(data))
    examples: list[TuningExample] = []
    without = 0
    for each in data:
        if isinstance(each, TuningExample):
            examples.append(each)
            continue
        found = load_examples(Path(each))
        examples += found.examples
        without += found.without_answer
    if not examples:
        raise UsageError("there are no examples to train on", where="--data")
    return ExamplesOfFile(examples, without)
