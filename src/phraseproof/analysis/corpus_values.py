"""Corpus metrics on arrays: the value of any resample of examples, and what each example adds to the value.

A corpus metric (BLEU, chrF) is a function of sums over examples, and no mean of their scores. Two things make it fit
statistics that are written for means:

* the bootstrap computes the metric of each resample from the resampled sums, as sacrebleu does (Koehn 2004);
* everything else takes jackknife values (Efron and Stein 1981): value + (E - 1) (mean of all leave-one-out values - the
  leave-one-out value of the example). Their mean is the metric of all examples, and their variance over E is its
  variance to first order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from phraseproof.scoring.metric import Metric

if TYPE_CHECKING:
    Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"


@dataclass(frozen=True, slots=True, eq=False)
class CorpusValues:
    """The statistics of W wordings on the same E examples.

    Attributes:
        metric: a corpus metric.
        statistics: [W, E, K] the metric's statistics of each example, summed over demonstration seeds.
        seeds: how many there are.
    """

    metric: Metric
    statistics: Floats
    seeds: int = 1

    def values(self) -> Floats:
        """[W] the metric of all examples together."""
        return self.metric.aggregate(self.statistics.sum(axis=1), self.seeds * self.statistics.shape[1])

    def of_examples(self) -> Floats:
        """[W, E] the jackknife value of each example; their mean over examples is the metric of all."""
        wordings, examples, _ = self.statistics.shape
        whole = np.repeat(self.values()[:, None], examples, axis=1)
        if examples < 2:
            return whole
        rest = self.statistics.sum(axis=1, keepdims=True) - self.statistics
        without = self.metric.aggregate(rest, self.seeds * (examples - 1)).reshape(wordings, examples)
        return whole + (examples - 1) * (without.mean(axis=1, keepdims=True) - without)

    def resampled(self, counts: Floats) -> Floats:
        """[R, W] the metric of resamples.

        Args:
            counts: [R, E] how often each resample holds each example; each row sums to E.
        """
        wordings, examples, size = self.statistics.shape
        flat = self.statistics.transpose(1, 0, 2).reshape(examples, wordings * size)
        sums = (counts @ flat).reshape(len(counts), wordings, size)
        return self.metric.aggregate(sums, self.seeds * examples)

    def take(self, rows: Sequence[int]) -> CorpusValues:
        """Some of the wordings."""
        return replace(self, statistics=self.statistics[list(rows)])

    def on(self, columns: Sequence[int]) -> CorpusValues:
        """Some of the examples."""
        return replace(self, statistics=self.statistics[:, list(columns)])
