"""The model in training: its network, soft prompt and optimizer, one step of them, and their weights in and out."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from phraseproof.alignment.loop.passes import MeanLosses, Passes
from phraseproof.alignment.low_rank import LowRankAdapter
from phraseproof.alignment.method import LOW_RANK
from phraseproof.alignment.methods import LossSettings
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.errors import ModelError
from phraseproof.training.checkpoint import TrainingCheckpoint, TrainingState
from phraseproof.training.export import save_model
from phraseproof.training.trainable_model import (
    TrainableModel,
    read_optimizer,
    read_weights,
    weights_hash,
    write_optimizer,
    write_weights,
)

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import Tensor

    from phraseproof.alignment.loop.batch_order import Draw
    from phraseproof.alignment.loop.preparation import Preparation
    from phraseproof.alignment.methods import LossTerms


class NotFiniteError(Exception):
    """A loss or a gradient is NaN or infinite."""


class Optimization:
    """A model that is trained, wrapped for its processes and devices. Every process must call every method.

    Args:
        prepared: the model, the data and the settings.
        accelerator: the processes, the device and the precision.

    Attributes:
        model: the wrapped `TrainableModel`.
        parameters: its trained parameters.
        passes: its forward passes.
        base_hash: the hash of the frozen network before training; `None` if the network itself is trained.
    """

    def __init__(self, prepared: Preparation, accelerator: Accelerator) -> None:
        self._prepared, self._accelerator, self._settings = prepared, accelerator, prepared.settings
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
        # A copy is trained: a wrapper may shard it, and the original is needed whole to save the adapter.
        trained_soft = copy.deepcopy(self._soft)
        trainable = TrainableModel(
            model.network,
            trained_soft,
            joined=model.is_decoder_only,
            pad_id=model.pad_id,
            adapter=None if self._low_rank is None else self._low_rank.parameters,
            gradient_checkpointing=settings.gradient_checkpointing,
        )
        self._names = trainable.trained
        optimizer = torch.optim.AdamW(
            [parameter for parameter in trainable.parameters() if parameter.requires_grad],
            lr=prepared.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self.model, self._optimizer = accelerator.prepare(trainable, optimizer)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.base_hash = self._hash_network() if prepared.method.writes_adapter else None
        self.passes = Passes(
            self.model,
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

    def step(self, step: int, drawn: Sequence[list[Draw]], rate: float) -> tuple[MeanLosses, float]:
        """Take one step of the optimizer.

        Args:
            step: the steps done before it.
            drawn: this process's batches of the step.
            rate: the learning rate.

        Returns:
            The losses, and the gradient's norm before clipping.

        Raises:
            NotFiniteError: a loss or the gradient is NaN or infinite; no weight changed.
        """
        accelerator, tokens = self._accelerator, self._prepared.train.tokens
        share = 1.0
        if self._settings.kl_schedule == "linear":
            share = (step + 1) / self._prepared.total_steps(accelerator.num_processes)
        terms: list[LossTerms] = []
        joined = self.passes.join(tokens, drawn)
        for place, together in enumerate(joined):
            # Gradients are exchanged between processes once per step, in its last pass.
            is_last = together is joined[-1]
            with self._dropping(step, place), contextlib.nullcontext() if is_last else accelerator.no_sync(self.model):
                own = self.passes.training_losses(tokens, together, lambda_share=share)
                accelerator.backward(torch.stack([each.total for each in own]).sum() / len(drawn))
            terms += [each._replace(total=each.total.detach()) for each in own]
        losses = self.passes.mean(terms)
        found = accelerator.clip_grad_norm_(self.parameters, self._settings.max_grad_norm or math.inf)
        norm = float(cast("Tensor", found))
        # The gradient scaler of float16 training skips steps with infinite gradients by itself.
        if not math.isfinite(losses.total) or not (math.isfinite(norm) or accelerator.scaler is not None):
            what = "the loss" if not math.isfinite(losses.total) else "the gradient"
            raise NotFiniteError(f"{what} was not a finite number in step {step + 1}")
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad()
        return losses, norm

    def _dropping(self, step: int, place: int) -> contextlib.AbstractContextManager[None]:
        """Dropout for one pass of a step: the same in a resumed training, and another one in every process."""
        if self._low_rank is None:
            return contextlib.nullcontext()
        key = f"{self._settings.seed}\0{step}\0{place}\0{self._accelerator.process_index}"
        seed = hashlib.blake2b(key.encode(), digest_size=6).digest()
        return self._low_rank.dropping(int.from_bytes(seed, "big"))

    # ---------------------------------------------------------------------------------------------------------- weights

    def weights(self) -> dict[str, Tensor]:
        """Copy the trained parameters to CPU memory; on the first process only."""
        return read_weights(self.model, self._names)

    def set_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Set the trained parameters to values from `weights`."""
        write_weights(self.model, weights)

    def checkpoint(self, state: TrainingState) -> TrainingCheckpoint:
        """Copy weights, optimizer and state to CPU memory; on the first process only."""
        return TrainingCheckpoint(self.weights(), read_optimizer(self.model, self._optimizer), state)

    def restore(self, saved: TrainingCheckpoint) -> None:
        """Set weights and optimizer to those of a checkpoint."""
        write_weights(self.model, saved.weights)
        write_optimizer(self.model, self._optimizer, saved.optimizer)

    def export(self, out: Path) -> None:
        """Write the present weights as an ordinary folder: a PEFT adapter, or a model with its tokenizer."""
        if not self._prepared.method.writes_adapter:
            save_model(self.model, self._accelerator, self._prepared.model.tokenizer, out)
            return
        weights = self.weights()
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

    def check_base(self) -> None:
        """Raise a `ModelError` if the frozen network's weights changed."""
        if self.base_hash is not None and (now := self._hash_network()) != self.base_hash:
            raise ModelError("the frozen model's weights changed during training", expected=self.base_hash, got=now)

    def release(self) -> None:
        """Leave the network frozen and without the adapter, as it was loaded."""
        if self._low_rank is not None:
            self._low_rank.remove()
        self._accelerator.unwrap_model(self.model).network.requires_grad_(False)

    def _hash_network(self) -> str:
        return weights_hash(self._accelerator.unwrap_model(self.model).network)
