"""Forward passes over batches of paraphrase sets, and the losses of a method on what they give."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from phraseproof.alignment.loop.batches import rows_of, run_groups
from phraseproof.engine.training.bucketing import merge_small_batches
from phraseproof.training.loss_terms import LossTerms, MeanLosses, mean_losses

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import nn

    from phraseproof.alignment.loop.batch_order import Draw
    from phraseproof.alignment.methods import GroupOutput, LossSettings, Method
    from phraseproof.alignment.pairs.tokens import SetTokens
    from phraseproof.training.trainable_model import TrainableModel


class Passes:
    """Runs batches through a model and computes a method's losses.

    Args:
        model: a `TrainableModel` as Accelerate wraps it.
        accelerator: the processes and the precision.
        method: the alignment method.
        loss_settings: the settings of its loss.
        vocabulary_size: the number of logits per target token, which decides how many batches share a pass.
    """

    def __init__(
        self,
        model: nn.Module,
        accelerator: Accelerator,
        method: Method,
        loss_settings: LossSettings,
        *,
        vocabulary_size: int,
    ) -> None:
        self._model = model
        self._accelerator = accelerator
        self._method = method
        self._loss_settings = loss_settings
        self._vocabulary_size = vocabulary_size

    def join(self, tokens: Sequence[SetTokens], batches: Sequence[list[Draw]]) -> list[list[list[Draw]]]:
        """Group batches by the pass that runs them. Where passes have no padding, several small batches share one.

        The grouping depends on the batches alone, so a resumed training groups them in the same way.
        """
        if not self._can_join:
            return [[batch] for batch in batches]
        runs = merge_small_batches([rows_of(tokens, batch) for batch in batches], self._vocabulary_size)
        return [[batches[index] for index in run] for run in runs]

    @functools.cached_property
    def _can_join(self) -> bool:
        model: TrainableModel = self._accelerator.unwrap_model(self._model)
        return self._accelerator.mixed_precision == "no" and model.is_packed

    def training_losses(
        self, tokens: Sequence[SetTokens], batches: Sequence[list[Draw]], *, lambda_share: float = 1.0
    ) -> list[LossTerms]:
        """The loss of each batch, computed in one pass, with a graph where the method needs gradients.

        Args:
            tokens: the tokens of all sets.
            batches: the batches.
            lambda_share: what λ is multiplied by.
        """
        outputs = self.outputs(
            tokens,
            batches,
            reference_needs_gradient=self._method.reference_needs_gradient(self._loss_settings),
        )
        settings = self._loss_settings
        if lambda_share != 1:
            settings = replace(settings, lambda_=settings.lambda_ * lambda_share)
        return [self._method.loss(groups, settings) for groups in outputs]

    def outputs(
        self, tokens: Sequence[SetTokens], batches: Sequence[list[Draw]], *, reference_needs_gradient: bool
    ) -> list[list[GroupOutput]]:
        """The model's output for each batch, computed in one pass."""
        groups = run_groups(
            self._model,
            tokens,
            [draw for batch in batches for draw in batch],
            need_prefix_states=self._method.needs_encoder_states,
            reference_needs_gradient=reference_needs_gradient,
        )
        rest = iter(groups)
        return [[next(rest) for _ in batch] for batch in batches]

    def loss(self, groups: Sequence[GroupOutput]) -> LossTerms:
        """The method's loss of one batch."""
        return self._method.loss(groups, self._loss_settings)

    def mean(self, terms: Sequence[LossTerms]) -> MeanLosses:
        """The means over batches and over processes. Every process must call it."""
        return mean_losses(terms, [1 / len(terms)] * len(terms), self._accelerator)
