"""The crossed bootstrap: results with other wordings and other examples.

Wordings and examples are two samples that meet in every cell. Both are resampled, each independently of the other
(Owen 2007, "The pigeonhole bootstrap"). A task's examples are drawn once for all its groups and wordings, because they
answer the same questions; wordings that serve several tasks are drawn once for all those tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.grids import Floats, Ints, TaskGrid
from phraseproof.analysis.score_table import BLOCK, Codes, ScoreTable, smallest

RESAMPLES = 2000
CONFIDENCE = 0.95

# With more examples the means of resampled examples follow a normal law so closely that drawing from it, with the
# same mean and covariance, changes no shown digit; it costs W^2 instead of the number of resamples for each example.
_MANY_EXAMPLES = 1000


class WordingDraws(NamedTuple):
    """Which wordings of one set each resample holds.

    Attributes:
        picks: [R, w] indices into the set, drawn with replacement.
    """

    picks: Codes

    def weighted(self, values: Floats) -> Floats:
        """[R] the mean of each resample, of values [R, w] of all wordings.

        Deviations from equal weights are widened by sqrt(w / (w - 1)), so that the variance of a mean over resamples is
        the unbiased estimate s^2 / w and not (w - 1) / w times it.
        """
        size = self.picks.shape[1]
        return np.concatenate(
            [
                np.sum(values[part] * _widened(drawn_counts(self.picks[part], size) / size), axis=1)
                for part in _parts(*self.picks.shape)
            ]
        )

    def of(self, values: Floats, compute: Callable[[Floats], Floats]) -> Floats:
        """[..., R] what `compute` makes of the values [r, w] of the wordings that some resamples hold.

        Args:
            values: [R, w] of all wordings.
            compute: from [r, w] to [..., r].
        """
        found = [
            compute(np.take_along_axis(values[part], self.picks[part].astype(np.intp), axis=1))
            for part in _parts(*self.picks.shape)
        ]
        return np.concatenate(found, axis=-1)


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
            # In parts, which draws the same numbers; as small integers, since there may be 5,000 wordings.
            picks = [
                smallest(self._draw.integers(0, len(name), size=(part.stop - part.start, len(name))), len(name))
                for part in _parts(self.resamples, len(name))
            ]
            self._wordings[name] = WordingDraws(np.concatenate(picks))
        return self._wordings[name]

    def means(self, grid: TaskGrid) -> Floats:
        """[R, W] each wording's mean score over resampled examples, the same examples for all wordings.

        Of a corpus metric, its value for the resampled examples.

        Where there are no outcomes of examples, or one example only, nothing can be resampled: R times the means.
        """
        centre = np.broadcast_to(grid.means, (self.resamples, len(grid.means)))
        table = grid.table
        if table is None or table.shape[1] < 2:
            return centre
        wordings, examples = table.shape
        if examples > _MANY_EXAMPLES:
            return centre + self._normal(table)
        picks = self._draw.integers(0, examples, size=(self.resamples, examples), dtype=np.intp)
        counts = drawn_counts(picks, examples)
        if grid.corpus is not None:
            return centre + (grid.corpus.resampled(counts) - grid.corpus.values()) * np.sqrt(examples / (examples - 1))
        found = np.empty((self.resamples, wordings))
        for rows, scores in table.by_wordings():
            deviations = scores - scores.mean(axis=1, keepdims=True)
            found[:, rows] = counts @ deviations.T
        return centre + found / np.sqrt(examples * (examples - 1))

    def _normal(self, table: ScoreTable) -> Floats:
        """[R, W] normal deviations with the covariance of the wordings' means over resampled examples.

        Either the matrix of covariances is factored, or deviations of examples are added up with normal weights, which
        has the same distribution and costs R instead of W for each score.
        """
        wordings, examples = table.shape
        means = table.of_wordings()[:, None]
        if wordings > self.resamples:
            sums = np.zeros((self.resamples, wordings))
            for columns, scores in table.by_examples():
                normal = self._draw.standard_normal((self.resamples, columns.stop - columns.start))
                sums += normal @ (scores - means).T
            return sums / np.sqrt((examples - 1) * examples)
        covariance = np.zeros((wordings, wordings))
        for _, scores in table.by_examples():
            deviations = scores - means
            covariance += deviations @ deviations.T
        values, vectors = np.linalg.eigh(covariance / (examples - 1) / examples)
        root = vectors * np.sqrt(np.clip(values, 0, None))
        return self._draw.standard_normal((self.resamples, len(values))) @ root.T


def resampled_stds(means: Floats, resampled: Floats, draws: WordingDraws, noise: float) -> Floats:
    """[R] the standard deviation (n - 1) over the wordings of each resample, as the wordings themselves spread.

    Resampling examples adds their noise a second time to wordings whose means hold it already; the deviations from
    each resample's centre are shrunk so that the variance between wordings is on average what it is in the data.

    Args:
        means: [w] the wordings' means.
        resampled: [R, w] the same over resampled examples.
        draws: which wordings each resample holds.
        noise: as `example_noise` returns it.
    """
    own = np.var(means, ddof=1) if len(means) > 1 else 0.0
    shrinkage = np.sqrt(own / (own + noise)) if own + noise > 0 else 1.0
    return shrinkage * draws.of(resampled, lambda of: np.std(of, axis=1, ddof=1))


def example_noise(means: Floats, resampled: Floats) -> float:
    """The part of the variance between wordings that is due to the draw of examples.

    Returns:
        The variance, over wordings, of what resampling examples adds to their means; an unbiased estimate of the
        interaction's share in the variance between wordings (the error mean square over E of a two-way layout).
    """
    if len(means) < 2:
        return 0.0
    variances = [np.var(resampled[part] - means, axis=1, ddof=1) for part in _parts(*resampled.shape)]
    return float(np.mean(np.concatenate(variances)))


def _parts(resamples: int, size: int) -> list[slice]:
    """Slices of resamples of `size` numbers that fit a block of memory."""
    step = max(1, BLOCK // max(1, size))
    return [slice(start, min(resamples, start + step)) for start in range(0, resamples, step)]


def drawn_counts(picks: Ints | Codes, size: int) -> Floats:
    """[R, size] how often each resample holds each member."""
    resamples = len(picks)
    flat = picks + size * np.arange(resamples)[:, None]
    return np.bincount(flat.ravel(), minlength=resamples * size).reshape(resamples, size).astype(np.float64)


def _widened(weights: Floats) -> Floats:
    size = weights.shape[1]
    return 1 / size + np.sqrt(size / (size - 1)) * (weights - 1 / size) if size > 1 else weights
