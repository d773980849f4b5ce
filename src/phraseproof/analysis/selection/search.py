"""Which wordings to try on which examples, when every answer costs a call: sequential halving and racing.

Wordings that are still in the search meet the same examples in the same random order, so that they are compared on
equal terms, and each batch decides which of them meet the next one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import Flags
from phraseproof.analysis.selection.criteria import CONFIDENCE
from phraseproof.errors import UsageError

_FIRST_ROUND = 0.5
"""The share of the calls that halving spends before it drops a wording (measured: benchmarks/selection/live.py)."""

_RACING_BATCH = 5
_BETS = np.array([0.02, 0.04, 0.08, 0.15, 0.25, 0.4, 0.6, 0.85])
"""Shares of the capital that are bet: small ones find small differences, large ones find large differences soon."""


class Strategy(StrEnum):
    """How calls are spread over wordings.

    halving: sequential halving (Karnin, Koren and Somekh 2013; for prompts TRIPLE, arXiv 2402.09723) in ceil(log2 W)
        rounds; after each, the better half of the wordings is kept. The first round has half of the calls, the others
        have equal shares of the rest. With equal shares for all rounds, the first ones have so few examples that a
        wording which is far better than all others is often dropped.
    racing: after every few examples, each wording is dropped that is worse than the leading one; with 95% the best
        wording is never dropped, however long the race is (betting on paired differences, arXiv 2010.09686).
    uniform: every wording gets the same number of calls.
    """

    HALVING = "halving"
    RACING = "racing"
    UNIFORM = "uniform"


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Examples `first` to `last` (exclusive), in the search's order, under some wordings."""

    wordings: Ints
    first: int
    last: int


class Search:
    """A search for the best wording.

    How to use it: while `next_batch()` returns one, score it and give the scores to `add`.

    Args:
        strategy: how calls are spread.
        wordings: W, how many there are.
        examples: how many can be used.
        calls: how many calls may be made.

    Attributes:
        alive: [W] which wordings are still in the search.
        counts: [W] on how many examples each wording was scored.
        spent: how many calls were made.

    Raises:
        UsageError: fewer calls than one per wording and round.
    """

    def __init__(self, strategy: Strategy, wordings: int, examples: int, calls: int) -> None:
        least = least_calls(strategy, wordings)
        if calls < least:
            raise UsageError(
                f"too few calls to compare {wordings} wordings by {strategy}",
                expected=f"at least {least:,} calls in the search",
                got=f"{calls:,}",
            )
        self._strategy = strategy
        self._examples = examples
        self._calls = calls
        self._rounds_left = _rounds(wordings) if strategy is Strategy.HALVING else 1
        self._sums = np.zeros(wordings)
        self._capital = np.zeros((len(_BETS), wordings))
        self._used = 0
        self.alive: Flags = np.ones(wordings, dtype=bool)
        self.counts: Ints = np.zeros(wordings, dtype=np.intp)
        self.spent = 0

    @property
    def means(self) -> Floats:
        """[W] the mean score of each wording on the examples it was scored on; 0 without any."""
        return self._sums / np.maximum(self.counts, 1)

    @property
    def maybe_best(self) -> Flags:
        """[W] which wordings are not shown to be worse than another one; a best one is among them with 95%."""
        capital = np.exp(np.minimum(self._capital, 700.0)).mean(axis=0)
        return capital < 1 / (1 - CONFIDENCE)

    @property
    def best(self) -> int:
        """The wording with the highest mean among those that are still in the search; the first of equal ones."""
        return int(np.argmax(np.where(self.alive, self.means, -np.inf)))

    def next_batch(self) -> Batch | None:
        """What to score next; `None` at the end of the search."""
        left = np.flatnonzero(self.alive)
        most = min((self._calls - self.spent) // len(left), self._examples - self._used)
        if len(left) == 1 or most < 1 or not self._rounds_left:
            return None
        size = most
        if self._strategy is Strategy.HALVING:
            equal = (self._calls - self.spent) // (len(left) * self._rounds_left)
            first = 0 if self._used else int(_FIRST_ROUND * self._calls) // len(left)
            size = min(max(1, equal, first), most)
        elif self._strategy is Strategy.RACING:
            # Growing batches: each costs a pass over the run folder, and late decisions change little.
            size = min(max(_RACING_BATCH, self._used // 4), most)
        return Batch(left, self._used, self._used + size)

    def add(self, batch: Batch, scores: Floats) -> None:
        """Take in the scores of a batch, and drop wordings.

        Args:
            batch: as `next_batch` returned it.
            scores: [wordings of the batch, its examples], between 0 and 1.
        """
        self._bet(batch.wordings, scores)
        self._sums[batch.wordings] += scores.sum(axis=1)
        self.counts[batch.wordings] += scores.shape[1]
        self.spent += scores.size
        self._used = batch.last
        match self._strategy:
            case Strategy.HALVING:
                self._halve(batch.wordings)
            case Strategy.RACING:
                self.alive &= self.maybe_best
            case _:
                self._rounds_left = 0

    def _halve(self, wordings: Ints) -> None:
        self._rounds_left -= 1
        order = wordings[np.argsort(-self.means[wordings], kind="stable")]
        self.alive[order[math.ceil(len(order) / 2) :]] = False

    def _bet(self, wordings: Ints, scores: Floats) -> None:
        """Bet against each wording.

        A capital of 1 is bet on the leader being better than the wording, at several stakes; the leader of an example
        is the best wording on the examples before it. Against a best wording this capital does not grow on average,
        whichever wordings lead, so it ever exceeds 20 with a probability of 5% at most (Ville's inequality).
        """
        before = self._sums[wordings, None] + np.cumsum(scores, axis=1) - scores
        leading = np.take_along_axis(scores, np.argmax(before, axis=0)[None], axis=0)
        self._capital[:, wordings] += np.log1p(_BETS[:, None, None] * (leading - scores)).sum(axis=-1)


def least_calls(strategy: Strategy, wordings: int) -> int:
    """How many calls a search needs: one per wording and round."""
    return wordings * (_rounds(wordings) if strategy is Strategy.HALVING else 1)


def _rounds(wordings: int) -> int:
    return max(1, math.ceil(math.log2(wordings)))
