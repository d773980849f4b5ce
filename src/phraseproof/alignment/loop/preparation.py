"""Resolve and check a training before anything is computed: method, model, paraphrase sets, tokens, record."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from phraseproof.alignment.initial_adapter import InitialAdapter, find_initial_adapter
from phraseproof.alignment.loop.batch_order import BatchOrder, Draw, SetShape
from phraseproof.alignment.loop.batches import rows_of
from phraseproof.alignment.loop.record import record_of
from phraseproof.alignment.methods import Method, known_methods
from phraseproof.alignment.pairs import ParaphraseSet, load_pairs, wording_hashes
from phraseproof.alignment.pairs.held_out import Split, split_pairs
from phraseproof.alignment.pairs.lazy_tokens import LazySetTokens
from phraseproof.alignment.reference_answers import with_reference_answers
from phraseproof.alignment.reference_quality import ask_references, judge_references
from phraseproof.alignment.settings import EVERYTHING, HALF_PRECISION, PRODUCTS, AlignmentSettings
from phraseproof.alignment.teacher_quality import TeacherQuality
from phraseproof.errors import UsageError
from phraseproof.instructions.render import resolve_format
from phraseproof.models import ModelOptions
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.models.huggingface.trainable import ModelToTrain
from phraseproof.training.base_model import load_base
from phraseproof.training.folder import run_by
from phraseproof.training.setting_checks import check_kept_step
from phraseproof.training.work import StepTokens

if TYPE_CHECKING:
    from phraseproof.core import Model

PATIENCE_FOR_KAPPA = 3
"""Evaluations without a higher agreement, for methods that stop on it."""


@dataclass(frozen=True)
class TokenizedSide:
    """The paraphrase sets of one side of the split, and their tokens in the same order, made at first use."""

    pairs: tuple[ParaphraseSet, ...]
    tokens: LazySetTokens

    def order(
        self,
        method: Method,
        settings: AlignmentSettings,
        *,
        with_paraphrases: bool,
        batches_per_draw: int | None = None,
    ) -> BatchOrder:
        """The order of batches over the sets; with `batches_per_draw`, of one wording each (`BatchOrder`)."""
        shapes = [
            SetShape(
                pair.instruction,
                len(pair.paraphrases) if with_paraphrases else 0,
                len(pair.negations) if method.needs_negations else 0,
                tuple(pair.wording_key(text) for text in (pair.instruction, *pair.paraphrases))
                if batches_per_draw is not None
                else (),
            )
            for pair in self.pairs
        ]
        return BatchOrder(
            shapes,
            references=method.references_per_batch,
            wordings=settings.paraphrases_per_batch,
            seed=settings.seed,
            batches_per_draw=batches_per_draw,
        )


@dataclass(frozen=True)
class Preparation:
    """Everything a training needs. No weights are loaded yet.

    Attributes:
        model: the model to align.
        method, settings: the method, and the settings with the prompt format resolved.
        train, held_out: the two sides of `split`, with tokens.
        split: how sets were held out.
        record: the content of `phraseproof.json`, except the result of the training.
        qualities: how good the reference wordings' answers are, per task, where they are the targets.
        initial: the adapter that training starts from, if any.
        validation: further sets to evaluate on, by name.
    """

    model: ModelToTrain
    method: Method
    settings: AlignmentSettings
    train: TokenizedSide
    held_out: TokenizedSide
    split: Split
    record: Mapping[str, object]
    qualities: tuple[TeacherQuality, ...] = ()
    initial: InitialAdapter | None = None
    validation: Mapping[str, TokenizedSide] = field(default_factory=dict[str, TokenizedSide])

    def run_by(self, processes: int, precision: str) -> Preparation:
        """The same, with a record that says how it is computed, as far as that is known before weights are loaded."""
        record = run_by(self.record, processes, precision)
        if precision == "no" and self._may_round_only_products:
            record = _rounding(record, PRODUCTS)
        return replace(self, record=record)

    def computed_as(self, *, is_packed: bool) -> Preparation:
        """The same, with a record that says whether the pass without padding is taken, which loaded weights decide."""
        settings = cast("Mapping[str, object]", self.record["settings"])
        if is_packed or settings.get(HALF_PRECISION) != PRODUCTS:
            return self
        return replace(self, record=_rounding(self.record, EVERYTHING))

    def resuming(self, record: Mapping[str, object] | None) -> Preparation:
        """The same, with a record as that of a training in the folder in which the pass was tried and not taken."""
        settings = cast("Mapping[str, object]", (record or {}).get("settings", {}))
        return self.computed_as(is_packed=settings.get(HALF_PRECISION) != EVERYTHING)

    @property
    def _may_round_only_products(self) -> bool:
        """Whether the pass without padding is tried in bfloat16 (`engine/training/forward.py`), without autocast."""
        model, method = self.model, self.method
        is_packed = method.writes_adapter and (method.trains != "prompt" or self.settings.placement == "input")
        return is_packed and model.is_decoder_only and model.dtype == "bfloat16" and model.device.startswith("cpu")

    @property
    def pulls_to_reference(self) -> bool:
        """Whether other wordings are pulled towards the reference."""
        return self.method.learns_from_reference and self.settings.lambda_ > 0

    def with_judged_references(self) -> Preparation:
        """The same, with how good the reference wordings are on labelled pairs, where the loss pulls towards them.

        The weights are loaded for that. Nothing is asked where training starts from an adapter, which would answer.
        """
        if not self.pulls_to_reference or self.settings.labels != "given" or self.initial is not None:
            return self
        pairs = (*self.split.train, *self.split.held_out)
        asked = ask_references(pairs, self.model.read_again, prompt_format=self.settings.prompt_format)
        return replace(self, qualities=(*self.qualities, *asked))

    @property
    def learning_rate(self) -> float:
        """The largest learning rate of the training."""
        assert self.settings.learning_rate is not None, "resolved by `prepare`"
        return self.settings.learning_rate

    @property
    def held_out_wordings(self) -> int:
        """The number of paraphrased wordings of held-out pairs that training does not use."""
        return len(wording_hashes(self.split.held_out).keys() - wording_hashes(self.split.train).keys())

    def training_order(self, processes: int) -> BatchOrder:
        """The order of the batches of this training."""
        return self.train.order(
            self.method,
            self.settings,
            with_paraphrases=self.method.uses_paraphrases,
            batches_per_draw=self.batches_per_step(processes) if self.method.draws_one else None,
        )

    def check_drawn(self, processes: int) -> int:
        """Tokenize and check the sets that the whole training draws; returns their number.

        Raises:
            UsageError: one of them cannot be trained on.
        """
        order = self.training_order(processes)
        batches = self.total_steps(processes) * self.batches_per_step(processes)
        drawn = set(range(len(self.train.pairs)))
        if batches < order.batches_per_epoch:
            drawn = {draw.pair for number in range(batches) for draw in order.batch(number)}
        self.train.tokens.require(drawn)
        return len(drawn)

    def step_draws(self, order: BatchOrder, step: int, place: tuple[int, int]) -> list[list[Draw]]:
        """The batches of a step of one process; `place` is its number and the number of processes."""
        own, processes = place
        accumulation = self.settings.gradient_accumulation
        return [order.batch((step * accumulation + micro) * processes + own) for micro in range(accumulation)]

    def step_tokens(self, order: BatchOrder, step: int, processes: int) -> StepTokens:
        """The tokens of a step over all processes, the soft prompt's in each prompt included."""
        virtual = self.settings.num_tokens if self.method.trains == "prompt" else 0
        drawn = self._all_draws(order, step, processes)
        rows = [row for batch in drawn for row in rows_of(self.train.tokens, batch)]
        read = sum(virtual + len(row.context) + len(row.target) for row in rows)
        return StepTokens(read, sum(len(row.target) for row in rows))

    def step_prompts(self, order: BatchOrder, step: int, processes: int) -> int:
        """The number of prompts of a step over all processes."""
        return sum(draw.prompts for batch in self._all_draws(order, step, processes) for draw in batch)

    def _all_draws(self, order: BatchOrder, step: int, processes: int) -> list[list[Draw]]:
        return [batch for own in range(processes) for batch in self.step_draws(order, step, (own, processes))]

    def batches_per_step(self, processes: int) -> int:
        """The number of batches per optimizer step, over all processes."""
        return self.settings.gradient_accumulation * processes

    def total_steps(self, processes: int) -> int:
        """The number of steps of the whole training."""
        settings = self.settings
        if settings.last_epoch is None:
            assert settings.max_steps is not None, "one of the two is set"
            return settings.max_steps
        steps = self._steps_until(settings.last_epoch, processes)
        return min(steps, settings.max_steps or steps)

    def epochs_at(self, step: int, processes: int) -> float:
        """How often the pairs were used after a step."""
        return step * self.batches_per_step(processes) / self._batches_per_epoch

    def kept_steps(self, processes: int) -> dict[int, int]:
        """The epochs after which weights are kept, and their last steps.

        Raises:
            UsageError: two of them end in the same step, or the training ends before one does.
        """
        total, keep = self.total_steps(processes), self.settings.keep_epochs
        found: dict[int, int] = {}
        for epoch in range(1, int(self.epochs_at(total, processes)) + 1) if keep == "all" else keep:
            step = self._steps_until(epoch, processes)
            if step in found.values() and epoch not in found:
                raise UsageError(
                    "two epochs end in the same step: a step has more batches than an epoch",
                    expected=f"at most {self._batches_per_epoch} batches per step",
                    got=str(self.batches_per_step(processes)),
                    where="--keep-epochs",
                    hint="Try a smaller --gradient-accumulation",
                )
            check_kept_step(epoch, step, total)
            found[epoch] = step
        return found

    def eval_every(self, processes: int) -> int:
        """The number of steps between two evaluations on held-out sets; by default those of an epoch."""
        return self.settings.eval_every or max(1, self._batches_per_epoch // self.batches_per_step(processes))

    @property
    def _batches_per_epoch(self) -> int:
        return len(self.train.pairs) // self.method.references_per_batch

    def _steps_until(self, epoch: int, processes: int) -> int:
        """The step in which an epoch ends."""
        return -(-epoch * self._batches_per_epoch // self.batches_per_step(processes))


def prepare(
    model: str | HuggingFaceModel,
    pairs: Sequence[ParaphraseSet] | Path,
    settings: AlignmentSettings,
    model_options: ModelOptions,
    validation: Mapping[str, Sequence[ParaphraseSet] | Path] | None = None,
) -> Preparation:
    """Load and check everything except the weights, and the tokens of the sets to train on (`check_drawn`).

    Args:
        model, pairs, settings, model_options, validation: as in `trainer.train`.

    Raises:
        UsageError: an unknown method, sets that lack what it needs, or settings that do not fit the model.
        ModelError: a model that cannot be trained, or that the method cannot work with.
        FileError: a pairs file that cannot be read.
    """
    method = find_method(settings.method)
    initial = find_initial_adapter(settings.init, method.trains)
    loaded = load_base(model, model_options, trains_weights=method.trains == "weights")
    # A cached property satisfies the protocol's property, but type checkers do not accept that.
    settings = settings.resolved(method.trains)
    settings = replace(settings, prompt_format=resolve_format(settings.prompt_format, cast("Model", loaded)))
    found = load_pairs(pairs) if isinstance(pairs, Path) else list(pairs)
    if not found:
        raise UsageError("there are no pairs to train on", where="--pairs")
    if settings.gradient_checkpointing and method.trains == "prompt" and settings.placement == "layers":
        # Layers add their keys and values to a cache that holds the prompt's; run again, they would add them twice.
        raise UsageError(
            "gradient checkpointing cannot be combined with a soft prompt in the layers",
            expected="--placement input",
            where="--gradient-checkpointing",
        )
    method.check_choices(
        kl_schedule=settings.kl_schedule,
        kl_direction=settings.kl_direction,
        labels=settings.labels,
        guard=settings.guard,
    )
    method.check(found, is_encoder_decoder=not loaded.is_decoder_only, placement=settings.placement)
    if settings.labels == "none":
        settings = replace(settings, lambda_=1.0)
    qualities: tuple[TeacherQuality, ...] = ()
    if settings.labels == "none" or any(not pair.target for pair in found):
        # Training starts from the model with the adapter, so that its answers are those before training.
        start = loaded if initial is None else loaded.with_adapter(initial.folder)
        answered = with_reference_answers(found, start, prompt_format=settings.prompt_format, labels=settings.labels)
        qualities, found = judge_references(found, answered), answered
        loaded = loaded.with_plain_layers()
    split = split_pairs(found, settings.held_out_fraction, settings.seed)
    if len(split.train) < method.references_per_batch:
        raise UsageError(
            f"the method {method.name} needs more pairs",
            expected=f"at least {method.references_per_batch} to train on",
            got=f"{len(split.train)} ({len(split.held_out)} held out)",
            where="--pairs",
        )
    if method.stops_on == "kappa" and settings.early_stopping_patience is None and len(split.held_out) > 1:
        settings = replace(settings, early_stopping_patience=PATIENCE_FOR_KAPPA)
    if len(split.held_out) < method.references_per_batch:
        for name, is_on in (("early stopping", settings.early_stopping_patience), ("the guard", settings.guard)):
            if is_on:
                raise UsageError(
                    f"{name} needs held-out pairs, and there are too few pairs to hold any out", where="--pairs"
                )
    further = _validation_sets(validation or {}, method, loaded, settings)
    train, held_out, *others = (
        TokenizedSide(
            side,
            LazySetTokens(
                side,
                loaded,
                prompt_format=settings.prompt_format,
                reserved=settings.num_tokens if method.trains == "prompt" else 0,
                with_options=method.needs_options,
            ),
        )
        for side in (split.train, split.held_out, *further.values())
    )
    for side in (held_out, *others):
        side.tokens.require(range(len(side.pairs)))
    return Preparation(
        model=loaded,
        method=method,
        settings=settings,
        train=train,
        held_out=held_out,
        split=split,
        record=record_of(loaded, method, settings, found, split, initial, further),
        qualities=qualities,
        initial=initial,
        validation=dict(zip(further, others, strict=True)),
    )


def _validation_sets(
    files: Mapping[str, Sequence[ParaphraseSet] | Path],
    method: Method,
    model: ModelToTrain,
    settings: AlignmentSettings,
) -> dict[str, tuple[ParaphraseSet, ...]]:
    """The sets of each validation file.

    Raises:
        UsageError: sets without a label, too few of them, or sets that lack what the method needs.
    """
    read = {name: load_pairs(each) if isinstance(each, Path) else list(each) for name, each in files.items()}
    for name, sets in read.items():
        where = f"--validation {name}"
        if len(sets) < method.references_per_batch:
            raise UsageError(
                "there are too few pairs to evaluate on",
                expected=f"at least {method.references_per_batch}",
                got=str(len(sets)),
                where=where,
            )
        if unlabelled := [each.source for each in sets if not each.labelled]:
            raise UsageError(
                "validation pairs need a label", got=f"{unlabelled[0] or 'a pair'} without one", where=where
            )
        method.check(sets, is_encoder_decoder=not model.is_decoder_only, placement=settings.placement)
    return {name: tuple(sets) for name, sets in read.items()}


def _rounding(record: Mapping[str, object], what: str) -> dict[str, object]:
    return {**record, "settings": {**cast("Mapping[str, object]", record["settings"]), HALF_PRECISION: what}}


def find_method(name: str) -> Method:
    """The method of that name, ours or an installed package's.

    Raises:
        UsageError: no such method; names the known ones and the closest match.
    """
    methods = known_methods()
    if name not in methods:
        close = difflib.get_close_matches(name, list(methods), n=1)
        raise UsageError(
            f"no alignment method is called {name!r}",
            expected=f"one of {', '.join(methods)}",
            where="--method",
            hint=f"Did you mean {close[0]!r}?" if close else None,
        )
    return methods[name]
