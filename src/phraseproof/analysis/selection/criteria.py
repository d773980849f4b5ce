"""What a good wording is: the value of each wording, from its means in blocks of examples."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from phraseproof.analysis.distributions import normal_quantile
from phraseproof.analysis.estimators.extremes import wilson
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.analysis.grids import Floats, Ints
    from phraseproof.analysis.selection.candidates import Candidates

CONFIDENCE = 0.95
DEFAULT_SHARE = 0.25


class Criterion(StrEnum):
    """By what a wording is chosen.

    The conditional value at risk of a share a is the mean of the worst share a of the blocks (Rockafellar and Uryasev
    2000, Journal of Risk 2(3)). It is the worst block as a goes to 0, and the mean of the blocks for a = 1.
    """

    MEAN = "mean"
    WORST = "worst"
    CVAR = "cvar"
    LOWER_BOUND = "lower-bound"


@dataclass(frozen=True, slots=True)
class Objective:
    """A criterion with its share.

    Attributes:
        share: of `cvar` the share of the blocks, above 0 and up to 1.

    Raises:
        UsageError: a share that is out of range.
    """

    criterion: Criterion = Criterion.MEAN
    share: float = DEFAULT_SHARE

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise UsageError(
                "not a share of the blocks", expected="above 0 and up to 1", got=str(self.share), where="--share"
            )

    @property
    def compares_blocks(self) -> bool:
        """Whether the criterion looks at the worst of several blocks."""
        return self.criterion in {Criterion.WORST, Criterion.CVAR}

    def shares(self, means: Floats, weights: Floats) -> Floats:
        """[B, W] the share of each block in each wording's value.

        Args:
            means: [B, W].
            weights: [B] the blocks' shares in the mean.
        """
        match self.criterion:
            case Criterion.WORST:
                return _one_hot(np.argmin(means, axis=0), len(means))
            case Criterion.CVAR:
                order = np.argsort(means, axis=0, kind="stable")
                return np.take_along_axis(
                    np.broadcast_to(self._tail(len(means))[:, None], means.shape), np.argsort(order, axis=0), axis=0
                )
            case _:
                return np.broadcast_to(weights[:, None], means.shape)

    def values(self, means: Floats, weights: Floats) -> Floats:
        """[..., W] the value of each wording, from its means [..., B, W]: what the chosen wording is worth."""
        match self.criterion:
            case Criterion.WORST:
                return means.min(axis=-2)
            case Criterion.CVAR:
                return np.einsum("b,...bw->...w", self._tail(means.shape[-2]), np.sort(means, axis=-2))
            case _:
                return np.einsum("b,...bw->...w", weights, means)

    def ranks(self, means: Floats, of: Candidates) -> Floats:
        """[..., W] what decides between wordings: their values, or for `lower-bound` the bounds of their values."""
        values = self.values(means, of.weights)
        if self.criterion is not Criterion.LOWER_BOUND:
            return values
        low, _ = wilson(means, of.sizes, normal_quantile(CONFIDENCE))
        return values - joint_distance(means - low, of.weights[:, None], of)

    def _tail(self, count: int) -> Floats:
        """[B] the shares of the blocks in the value, from the lowest mean to the highest."""
        size = self.share * count
        return np.asarray(np.clip(size - np.arange(count), 0.0, 1.0) / size, dtype=np.float64)


def joint_distance(distances: Floats, shares: Floats, of: Candidates) -> Floats:
    """[..., W] the distance from a weighted mean of blocks to its bound, from the blocks' distances [..., B, W].

    Distances of different examples add as squares (MOVER, Zou and Donner 2008). Those of the same examples under
    several models add as they are, which holds for any dependence between models.

    Args:
        distances: from the mean of each block to its bound.
        shares: [B, W] or [B, 1] of the blocks in the mean.
        of: the blocks.
    """
    weighted = distances * shares
    squares = np.stack([weighted[..., list(places), :].sum(axis=-2) ** 2 for places in of.strata])
    return np.sqrt(squares.sum(axis=0))


def _one_hot(places: Ints, count: int) -> Floats:
    return (np.arange(count)[:, None] == places).astype(np.float64)
