"""An alignment as the training loop sees it: its batches and their losses, its evaluations, and what is written."""

from __future__ import annotations

import contextlib
import copy
import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from phraseproof.alignment.loop.drift import DriftWatch
from phraseproof.alignment.loop.evaluation import evaluate_held_out
from phraseproof.alignment.loop.held_out import AlignmentEvaluation
from phraseproof.alignment.loop.passes import Passes
from phraseproof.alignment.low_rank import LowRankAdapter
from phraseproof.alignment.method import LOW_RANK
from phraseproof.alignment.methods import LossSettings
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.training.export import save_model
from phraseproof.training.optimization import AdamWSettings, Optimization, TrainingPass
from phraseproof.training.trainable_model import TrainableModel
from phraseproof.training.work import StepTokens, TrainingPlan, epoch_folder

if TYPE_CHECKING:
    from accelerate import Accelerator

    from phraseproof.alignment.loop.batch_order import Draw
    from phraseproof.alignment.loop.preparation import Preparation
    from phraseproof.training.log import LogRow


class AlignmentWork:
    """The model of an alignment and its batches. Every process must call every method.

    Args:
        prepared: the model, the data and the settings.
        accelerator: the processes, the device and the precision.

    Attributes:
        optimization: the model in training and its optimizer.
        forward: its forward passes.
    """

    def __init__(self, prepared: Preparation, accelerator: Accelerator) -> None:
        self._prepared, self._accelerator, self._settings = prepared, accelerator, prepared.settings
        self._order = prepared.training_order(accelerator.num_processes)
        model, settings = prepared.model, prepared.settings
        self._soft: SoftPrompt | None = None
        self._low_rank: LowRankAdapter | None = None
        if prepared.method.trains == "prompt":
            self._soft = SoftPrompt.create(
                model.network,
                n=settings.num_tokens,
                placement=settings.placement,
                init=settings.init,
                seed=settings.seed,
                tokenizer=model.tokenizer,
            )
        elif prepared.method.trains in LOW_RANK:
            start = None if prepared.initial is None else prepared.initial.adapter
            uses_dora = prepared.method.trains == "dora"
            self._low_rank = LowRankAdapter.inject(model.network, settings, uses_dora=uses_dora, start=start)
        trainable = TrainableModel(
            model.network,
            # A copy is trained: a wrapper may shard it, and the original is needed whole to save the adapter.
            copy.deepcopy(self._soft),
            joined=model.is_decoder_only,
            pad_id=model.pad_id,
            adapter=None if self._low_rank is None else self._low_rank.parameters,
            gradient_checkpointing=settings.gradient_checkpointing,
        )
        self.optimization = Optimization(
            trainable,
            accelerator,
            AdamWSettings(prepared.learning_rate, settings.weight_decay, settings.max_grad_norm),
            is_frozen=prepared.method.writes_adapter,
        )
        self.forward = Passes(
            self.optimization.model,
            accelerator,
            prepared.method,
            LossSettings(
                lambda_=settings.lambda_,
                detach_reference=settings.detach_reference,
                push_bound=settings.push_bound,
                # Without labels there is no cross-entropy, and then the reference may need no graph.
                reference_in_ce=settings.reference_in_ce and settings.labels == "given",
                kl_direction=settings.kl_direction,
                is_balanced=settings.kl_schedule == "balanced",
            ),
            vocabulary_size=int(model.network.get_input_embeddings().weight.shape[0]),
        )

    def passes(self, step: int) -> list[TrainingPass]:
        """This process's forward passes of a step."""
        return self.passes_over(step, self._prepared.step_draws(self._order, step, self._place))

    def passes_over(self, step: int, drawn: Sequence[list[Draw]]) -> list[TrainingPass]:
        """The forward passes over these batches, which have equal weights, as those of a step."""
        tokens = self._prepared.train.tokens
        share = 1.0
        if self._settings.kl_schedule == "linear":
            share = (step + 1) / self._prepared.total_steps(self._accelerator.num_processes)
        return [
            TrainingPass(
                losses=partial(self.forward.training_losses, tokens, together, lambda_share=share),
                weights=[1 / len(drawn)] * len(together),
                surroundings=partial(self._dropping, step, place),
            )
            for place, together in enumerate(self.forward.join(tokens, drawn))
        ]

    def tokens(self, step: int) -> StepTokens:
        """The tokens of a step, over all processes."""
        return self._prepared.step_tokens(self._order, step, self._accelerator.num_processes)

    def evaluate(self) -> AlignmentEvaluation | None:
        """Evaluate the present weights on held-out and validation sets; `None` if there are too few of both."""
        prepared = self._prepared
        sides = {"": prepared.held_out, **prepared.validation}
        found = {
            name: evaluate_held_out(self.forward, side, prepared.method, self._settings) for name, side in sides.items()
        }
        held_out = found.pop("")
        validation = {name: each for name, each in found.items() if each is not None}
        return AlignmentEvaluation(held_out, validation) if held_out is not None or validation else None

    def read_evaluation(self, record: Mapping[str, object]) -> AlignmentEvaluation:
        """An evaluation from its record."""
        return AlignmentEvaluation.from_record(record)

    def watch(self, earlier: Sequence[LogRow]) -> DriftWatch:
        """What warns when cross-entropy rises while KL falls."""
        return DriftWatch(self._settings.lambda_ if self._prepared.method.uses_kl else None, earlier)

    def export(self, out: Path) -> None:
        """Write the present weights as an ordinary folder: a PEFT adapter, or a model with its tokenizer."""
        if not self._prepared.method.writes_adapter:
            save_model(self.optimization.model, self._accelerator, self._prepared.model.tokenizer, out)
            return
        weights = self.optimization.weights()
        if not self._accelerator.is_main_process:
            return
        name = self._prepared.model.identity.name
        if self._low_rank is not None:
            own = {key.removeprefix("network."): value for key, value in weights.items()}
            self._low_rank.save(out, own, name)
        if self._soft is not None:
            own = {key.removeprefix("soft."): value for key, value in weights.items()}
            self._soft.load_state_dict(own)
            self._soft.save(out, name)

    def release(self) -> None:
        """Leave the network frozen and without the adapter, as it was loaded."""
        if self._low_rank is not None:
            self._low_rank.remove()
        self.optimization.release()

    @property
    def _place(self) -> tuple[int, int]:
        return self._accelerator.process_index, self._accelerator.num_processes

    def _dropping(self, step: int, place: int) -> contextlib.AbstractContextManager[None]:
        """Dropout for one pass of a step: the same in a resumed training, and another one in every process."""
        if self._low_rank is None:
            return contextlib.nullcontext()
        key = f"{self._settings.seed}\0{step}\0{place}\0{self._accelerator.process_index}"
        seed = hashlib.blake2b(key.encode(), digest_size=6).digest()
        return self._low_rank.dropping(int.from_bytes(seed, "big"))


def plan_of(prepared: Preparation, processes: int) -> TrainingPlan:
    """The plan of an alignment that this number of processes does."""
    settings = prepared.settings
    sets = settings.gradient_accumulation * processes * prepared.method.references_per_batch
    return TrainingPlan(
        steps=prepared.total_steps(processes),
        eval_every=prepared.eval_every(processes),
        learning_rate=prepared.learning_rate,
        warmup_steps=settings.warmup_steps,
        schedule=settings.schedule,
        save_every=settings.save_every,
        save_every_seconds=settings.save_every_seconds,
        patience=settings.early_stopping_patience,
        stops_on=prepared.method.stops_on,
        is_guarded=settings.guard,
        batch=f"{sets} set{'s' * (sets != 1)} of up to {1 + settings.paraphrases_per_batch} wordings",
        record=prepared.record,
        exports={step: epoch_folder(epoch) for epoch, step in prepared.kept_steps(processes).items()},
    )
