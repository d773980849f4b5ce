"""The input of a choice: the scores of every wording on every example, in blocks that a criterion compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats


class Block(NamedTuple):
    """Examples under one condition: a task, an answer class of a task, or a model, or a combination of these.

    Attributes:
        name: as people read it; empty where there is one block only.
        stratum: blocks with the same number hold the same examples in the same order, under different models. Blocks
            with different numbers hold different examples.
        scores: [W, n] between 0 (worst) and 1 (best).
        weight: the block's share in the mean; the weights of all blocks sum to 1.
    """

    name: str
    stratum: int
    scores: Floats
    weight: float


@dataclass(frozen=True, eq=False)
class Candidates:
    """W wordings that are scored on the same examples.

    Attributes:
        names: of each wording. Of two wordings with equal values, the first one is chosen.
        blocks: at least one; every wording is scored in each.
    """

    names: tuple[str, ...]
    blocks: tuple[Block, ...]

    @property
    def count(self) -> int:
        """W, how many wordings there are."""
        return len(self.names)

    @cached_property
    def means(self) -> Floats:
        """[B, W] each wording's mean score in each block."""
        return np.stack([block.scores.mean(axis=1) for block in self.blocks])

    @cached_property
    def sizes(self) -> Floats:
        """[B, W] the number of right-or-wrong answers that would determine the mean of each block as well.

        Of scores of 0 and 1 the number of examples. Other scores vary less than right and wrong answers with the same
        mean do, so they hold more information: n times the largest possible variance over the observed one, to which
        one observation with the largest possible variance is added.
        """
        found = np.empty_like(self.means)
        for place, block in enumerate(self.blocks):
            count = block.scores.shape[1]
            found[place] = count
            if not np.isin(block.scores, (0.0, 1.0)).all():
                share = (count * self.means[place] + 0.5) / (count + 1)
                largest = share * (1 - share)
                found[place] *= largest * (count + 1) / (count * block.scores.var(axis=1) + largest)
        return found

    @property
    def weights(self) -> Floats:
        """[B] the blocks' shares in the mean."""
        return np.array([block.weight for block in self.blocks])

    @property
    def strata(self) -> tuple[tuple[int, ...], ...]:
        """The places of the blocks of each stratum."""
        found: dict[int, list[int]] = {}
        for place, block in enumerate(self.blocks):
            found.setdefault(block.stratum, []).append(place)
        return tuple(map(tuple, found.values()))

    def examples(self) -> int:
        """How many examples there are; an example under several models counts once."""
        return sum(self.blocks[places[0]].scores.shape[1] for places in self.strata)

    def take(self, rows: Sequence[int]) -> Candidates:
        """The same with some of the wordings, in the order given."""
        chosen = list(rows)
        return Candidates(
            tuple(self.names[row] for row in chosen),
            tuple(block._replace(scores=block.scores[chosen]) for block in self.blocks),
        )
