"""The methods of post-hoc calibration: what each is called, where it was published, what it needs, how it is fitted.

Some find a bias of each class (`bias.py`) in the mean over the run's own examples, over prompts without content, or
over permutations of the options. The others correct each option by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from phraseproof.calibration.bias import Floats, Ints, batch_bias, log_total, matching_bias
from phraseproof.errors import UsageError

Fit: TypeAlias = Callable[[Floats, Ints, int, Floats, "Floats | None"], Floats]
"""From log-probabilities [..., E, C], classes [E, C], their number, weights [..., E] and a start to a bias [..., K]."""


class Needs(StrEnum):
    """What a method needs of a run or a model, next to the stored log-probabilities."""

    NOTHING = "nothing"
    BYTES = "the options' lengths in bytes"
    TOKENS = "the options' numbers of tokens"
    CONTENT_FREE = "prompts without content"
    PREMISES = "prompts without the example"
    PERMUTATIONS = "prompts with permuted options"

    @property
    def asks_model(self) -> bool:
        """Whether prompts are asked that the run does not hold."""
        return self in {Needs.CONTENT_FREE, Needs.PREMISES, Needs.PERMUTATIONS}

    @property
    def is_length(self) -> bool:
        """Whether log-probabilities are divided by a length."""
        return self in {Needs.BYTES, Needs.TOKENS}


@dataclass(frozen=True, slots=True)
class CalibrationMethod:
    """A way to correct the log-probabilities of options.

    Attributes:
        name: as users name it (`--method`); also what follows the `+` in the name of a derived run's scoring.
        summary: what it does, as a clause.
        source: the arXiv number of its paper; empty where there is none.
        needs: next to the stored log-probabilities.
        fit: finds the bias of each class; `None` for methods without such a bias.
    """

    name: str
    summary: str
    source: str
    needs: Needs
    fit: Fit | None = None


def _batch(logprobs: Floats, classes: Ints, count: int, weights: Floats, start: Floats | None) -> Floats:
    del start  # in one step
    return batch_bias(logprobs, classes, count, weights)


def _matching(logprobs: Floats, classes: Ints, count: int, weights: Floats, start: Floats | None) -> Floats:
    return matching_bias(logprobs, classes, count, weights=weights, start=start)


METHODS: Mapping[str, CalibrationMethod] = MappingProxyType(
    {
        method.name: method
        for method in (
            CalibrationMethod("batch", "divides by each class's mean probability", "2309.17249", Needs.NOTHING, _batch),
            CalibrationMethod(
                "prior-matching",
                "makes classes equally probable on average",
                "2309.04992",
                Needs.NOTHING,
                _matching,
            ),
            CalibrationMethod("per-byte", "divides by the options' bytes", "", Needs.BYTES),
            CalibrationMethod("per-token", "divides by the options' tokens", "2005.14165", Needs.TOKENS),
            CalibrationMethod(
                "contextual",
                "divides by the probabilities on prompts without content",
                "2102.09690",
                Needs.CONTENT_FREE,
                _batch,
            ),
            CalibrationMethod("pmi-dc", "divides by probabilities without the example", "2104.08315", Needs.PREMISES),
            CalibrationMethod("pride", "divides by the prior of the letters", "2309.03882", Needs.PERMUTATIONS, _batch),
        )
    }
)


def calibration_method(name: str) -> CalibrationMethod:
    """The method of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in METHODS:
        raise UsageError(
            f"no method of calibration is called '{name}'", expected=f"one of: {', '.join(METHODS)}", where="--method"
        )
    return METHODS[name]


def without_premise(values: Floats, premises: Floats) -> Floats:
    """PMI-DC (Holtzman et al. 2021, arXiv 2104.08315): log P(option | prompt) - log P(option | premise), [..., E, C].

    An option that the premise rules out was not measured there: it stays as it is, since the ratio is not defined.
    """
    return values - np.where(np.isfinite(premises), premises, 0.0)


def per_length(values: Floats, lengths: Floats) -> Floats:
    """[..., E, C] the log-probabilities divided by the options' lengths, at least 1."""
    return values / np.maximum(lengths, 1.0)


def letter_priors(logprobs: Floats) -> Floats:
    """PriDe's prior of the option letters in each example (Zheng et al. 2023, arXiv 2309.03882, equation 5).

    Over all cyclic permutations every content is at every letter once, so that in the mean of the log-probabilities the
    contents cancel.

    Args:
        logprobs: [..., C, C] natural logs of the letters' probabilities, a row per cyclic permutation of the contents.

    Returns:
        [..., C] natural logs of the prior, which add up to 1.
    """
    # A letter that is ruled out under one permutation would be ruled out by it for all contents.
    mean = np.maximum(logprobs, _LEAST_LOG).mean(axis=-2)
    return mean - log_total(mean)


_LEAST_LOG = -100.0
