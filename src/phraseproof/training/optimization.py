"""The model in training and its optimizer, one step of them, and their weights in and out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, cast

import torch

from phraseproof.errors import ModelError
from phraseproof.training.checkpoint import TrainingCheckpoint, TrainingState
from phraseproof.training.loss_terms import LossTerms, MeanLosses, mean_losses
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


class NotFiniteError(Exception):
    """A loss or a gradient is NaN or infinite."""


class TrainingPass(NamedTuple):
    """One forward pass of a step, over one or several batches.

    Attributes:
        losses: runs it; the loss of each batch, with a graph.
        weights: of the batches in the step's loss. A process's weights add up to 1 on average over the processes,
            because gradients are averaged over processes.
        surroundings: a context of the pass and of its backward pass.
    """

    losses: Callable[[], Sequence[LossTerms]]
    weights: Sequence[float]
    surroundings: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext


class AdamWSettings(NamedTuple):
    """The settings of the optimizer.

    Attributes:
        learning_rate: the largest of the training.
        weight_decay: of trained parameters.
        max_grad_norm: gradients with a larger norm are scaled down to it; `None` disables clipping.
        decays_all: whether biases and the weights of normalization have weight decay too.
    """

    learning_rate: float
    weight_decay: float
    max_grad_norm: float | None
    decays_all: bool = True


class Optimization:
    """A model that is trained, wrapped for its processes and devices. Every process must call every method.

    Args:
        trainable: the model.
        accelerator: the processes, the device and the precision.
        settings: the optimizer.
        is_frozen: only an adapter is trained, and the network must not change.

    Attributes:
        model: the wrapped `TrainableModel`.
        parameters: its trained parameters.
        base_hash: the hash of the frozen network before training; `None` if the network itself is trained.
        trained_count, total_count: the numbers of trained and of all parameters; a shared one counts once.
    """

    def __init__(
        self, trainable: TrainableModel, accelerator: Accelerator, settings: AdamWSettings, *, is_frozen: bool
    ) -> None:
        self._accelerator, self._settings = accelerator, settings
        self._names = trainable.trained
        self.total_count = sum(parameter.numel() for parameter in trainable.parameters())
        self.trained_count = sum(each.numel() for each in trainable.parameters() if each.requires_grad)
        optimizer = torch.optim.AdamW(
            _groups(trainable, settings), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.model, self._optimizer = accelerator.prepare(trainable, optimizer)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.base_hash = self._hash_network() if is_frozen else None

    def step(self, step: int, passes: Sequence[TrainingPass], rate: float) -> tuple[MeanLosses, float]:
        """Take one step of the optimizer.

        Args:
            step: the steps done before it.
            passes: this process's forward passes; every process has the same number.
            rate: the learning rate.

        Returns:
            The losses, and the gradient's norm before clipping.

        Raises:
            NotFiniteError: a loss or the gradient is NaN or infinite; no weight changed.
        """
        accelerator = self._accelerator
        terms: list[LossTerms] = []
        weights: list[float] = []
        for place, each in enumerate(passes):
            # Gradients are exchanged between processes once per step, in its last pass.
            is_last = place == len(passes) - 1
            with each.surroundings(), contextlib.nullcontext() if is_last else accelerator.no_sync(self.model):
                own = each.losses()
                totals = torch.stack([loss.total for loss in own])
                accelerator.backward((totals * totals.new_tensor(each.weights)).sum())
            terms += [loss._replace(total=loss.total.detach()) for loss in own]
            weights += each.weights
        losses = mean_losses(terms, weights, accelerator)
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

    def check_base(self) -> None:
        """Raise a `ModelError` if the frozen network's weights changed."""
        if self.base_hash is not None and (now := self._hash_network()) != self.base_hash:
            raise ModelError("the frozen model's weights changed during training", expected=self.base_hash, got=now)

    def release(self) -> None:
        """Leave the network frozen."""
        self._accelerator.unwrap_model(self.model).network.requires_grad_(False)

    def _hash_network(self) -> str:
        return weights_hash(self._accelerator.unwrap_model(self.model).network)


def _groups(trainable: TrainableModel, settings: AdamWSettings) -> list[dict[str, object]]:
    trained = [(name, parameter) for name, parameter in trainable.named_parameters() if parameter.requires_grad]
    if settings.decays_all or not settings.weight_decay:
        return [{"params": [parameter for _, parameter in trained]}]
    # Position biases of T5 are a table, and biases all the same.
    is_spared = {name: parameter.ndim <= 1 or "bias" in name for name, parameter in trained}
    groups: list[dict[str, object]] = [
        {"params": [each for name, each in trained if not is_spared[name]]},
        {"params": [each for name, each in trained if is_spared[name]], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]
