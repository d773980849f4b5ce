"""A way to answer, fitted on some examples and scored on examples that its recommendation did not see either."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from phraseproof.analysis.calibrated import fold_of_examples
from phraseproof.analysis.distributions import t_quantile
from phraseproof.analysis.grids import Ints
from phraseproof.analysis.option_values import OptionValues, scores
from phraseproof.analysis.reductions.ways import WAYS, Access, Part

CONFIDENCE = 0.95


class Confirmation(NamedTuple):
    """The result of one way on examples that were set aside. Accuracies and gains are shares from 0 to 1.

    Attributes:
        way: its name.
        examples: how many were set aside.
        before: the mean accuracy of the wordings as they are, on these examples.
        after: the accuracy of the way.
        low, high: the 95% interval of the difference, over examples, for this way alone.
    """

    way: str
    examples: int
    before: float
    after: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """`after` less `before`."""
        return self.after - self.before


def set_aside(values: OptionValues, share: float, seed: int = 0) -> tuple[OptionValues, OptionValues]:
    """The examples to fit and judge on, and those that are set aside, by a hash of seed, task and id.

    Args:
        values: of one task.
        share: of the examples to set aside, from 0 to 1.
        seed: of the division.
    """
    parts = 1000
    rank = fold_of_examples(values.task, values.examples, min(parts, len(values.examples)), seed + 1)
    aside = rank < share * min(parts, len(values.examples))
    return values.take_examples(np.flatnonzero(~aside)), values.take_examples(np.flatnonzero(aside))


def confirm(way: str, fit: OptionValues, aside: OptionValues, *, calibration: str) -> Confirmation:
    """Fit a way on all of `fit`, and score it on `aside`.

    Args:
        way: the name of one of `WAYS`.
        fit: the examples to fit on.
        aside: at least two other examples of the same task, with the same rows.
        calibration: the method of `analysis.calibrated`.
    """
    (chosen,) = (each for each in WAYS if each.name == way)
    # Two folds: what answers the examples of one is chosen on those of the other.
    folds: Ints = np.repeat([0, 1], [len(fit.examples), len(aside.examples)])
    both = _joined(fit, aside)
    needed = calibration if chosen.access is Access.LOGPROBS else ""
    answered = chosen.answer(Part.fitted(both, needed, folds))[:, len(fit.examples) :].mean(axis=0)
    before = scores(aside.values, aside).mean(axis=0)
    gains = answered - before
    error = float(np.std(gains, ddof=1)) / np.sqrt(len(gains))
    reach = t_quantile((1 + CONFIDENCE) / 2, len(gains) - 1) * error
    gain = float(gains.mean())
    return Confirmation(
        way, len(gains), float(before.mean()), float(answered.mean()), max(-1.0, gain - reach), min(1.0, gain + reach)
    )


def _joined(first: OptionValues, second: OptionValues) -> OptionValues:
    """The examples of both, of one task with the same rows."""
    return replace(
        first,
        examples=first.examples + second.examples,
        values=np.concatenate([first.values, second.values], axis=1),
        has_option=np.concatenate([first.has_option, second.has_option]),
        credits=np.concatenate([first.credits, second.credits]),
        classes=np.concatenate([first.classes, second.classes], axis=1),
    )
