"""The crossed bootstrap: results with other wordings and other examples.

Wordings and examples are two samples that meet in every cell. Both are resampled, each independently of the other
(Owen 2007, "The pigeonhole bootstrap"). A task's examples are drawn once for all its groups and wordings, because they
answer the same questions; wordings that serve several tasks are drawn once for all those tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats, Ints, TaskGrid

RESAMPLES = 2000
CONFIDENCE = 0.95

# With more examples the means of resampled examples follow a normal law so closely that drawing from it, with the
# same mean and covariance, changes no shown digit; it costs W^2 instead of the number of resamples for each example.
_MANY_EXAMPLES = 1000


class WordingDraws(NamedTuple):
    """Which wordings of one set each resample holds.

    Attributes:
        picks: [R, w] indices into the set, drawn with replacement.
        weights: [R, w] the weight of each wording in a resample's mean. Deviations from equal weights are widened by
            sqrt(w / (w - 1)), so that the variance of a mean over resamples is the unbiased estimate s^2 / w and not
            (w - 1) / w times it.
    """

    picks: Ints
    weights: Floats


class Resampler:
    """Draws wordings and examples, each set of wordings once.

    Args:
        seed: the same seed gives the same draws for the same grids in the same order.
        resamples: R, how many.
    """

    def __init__(self, seed: int = 0, resamples: int = RESAMPLES) -> None:
        self.resamples = resamples
        self._draw = np.random.default_rng(seed)
        self._wordings: dict[tuple[str, ...], WordingDraws] = {}

    def wordings(self, keys: Sequence[str]) -> WordingDraws:
        """Draws of the set of wordings `keys`; the same set in the same order always gets the same draws."""
        name = tuple(keys)
        if name not in self._wordings:
            picks = self._draw.integers(0, len(name), size=(self.resamples, len(name)), dtype=np.intp)
            self._wordings[name] = WordingDraws(picks, _widened(drawn_counts(picks, len(name)) / len(name)))
        return self._wordings[name]

    def means(self, grid: TaskGrid) -> Floats:
        """[R, W] each wording's mean score over resampled examples, the same examples for all wordings.

        Of a corpus metric, its value for the resampled examples.

        Where there are no outcomes of examples, or one example only, nothing can be resampled: R times the means.
        """
        centre = np.broadcast_to(grid.means, (self.resamples, len(grid.means)))
        if grid.scores is None or grid.scores.shape[1] < 2:
            return centre
        deviations = grid.scores - grid.scores.mean(axis=1, keepdims=True)
        examples = deviations.shape[1]
        if examples > _MANY_EXAMPLES:
            covariance = deviations @ deviations.T / (examples - 1) / examples
            values, vectors = np.linalg.eigh(covariance)
            root = vectors * np.sqrt(np.clip(values, 0, None))
            noise = self._draw.standard_normal((self.resamples, len(values)))
            return centre + noise @ root.T
        picks = self._draw.integers(0, examples, size=(self.resamples, examples), dtype=np.intp)
        counts = drawn_counts(picks, examples)
        if grid.corpus is not None:
            return centre + (grid.corpus.resampled(counts) - grid.corpus.values()) * np.sqrt(examples / (examples - 1))
        return centre + counts @ deviations.T / np.sqrt(examples * (examples - 1))


def resampled_spread(means: Floats, resampled: Floats, picks: Ints) -> Floats:
    """[R, w] the scores of each resample's wordings, spread as the wordings themselves are.

    Resampling examples adds their noise a second time to wordings whose means hold it already; the deviations from
    each resample's centre are shrunk so that the variance between wordings is on average what it is in the data.

    Args:
        means: [w] the wordings' means.
        resampled: [R, w] the same over resampled examples.
        picks: [R, w] which wordings each resample holds.
    """
    own = np.var(means, ddof=1) if len(means) > 1 else 0.0
    noise = example_noise(means, resampled)
    centre = resampled.mean(axis=1, keepdims=True)
    shrunk = centre + (resampled - centre) * np.sqrt(own / (own + noise)) if own + noise > 0 else resampled
    return np.take_along_axis(shrunk, picks, axis=1)


def example_noise(means: Floats, resampled: Floats) -> float:
    """The part of the variance between wordings that is due to the draw of examples.

    Returns:
        The variance, over wordings, of what resampling examples adds to their means; an unbiased estimate of the
        interaction's share in the variance between wordings (the error mean square over E of a two-way layout).
    """
    if len(means) < 2:
        return 0.0
    return float(np.mean(np.var(resampled - means, axis=1, ddof=1)))


def drawn_counts(picks: Ints, size: int) -> Floats:
    """[R, size] how often each resample holds each member."""
    resamples = len(picks)
    flat = picks + size * np.arange(resamples)[:, None]
    return np.bincount(flat.ravel(), minlength=resamples * size).reshape(resamples, size).astype(np.float64)


def _widened(weights: Floats) -> Floats:
    size = weights.shape[1]
    return 1 / size + np.sqrt(size / (size - 1)) * (weights - 1 / size) if size > 1 else weights
