"""Effects that follow from fitted priors, and how they follow the examples, compared with full fits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phraseproof.analysis.causes.fit import Fit
from phraseproof.analysis.causes.priors import answer_forms, finite_logprobs
from phraseproof.analysis.grids import Floats, Ints
from phraseproof.analysis.option_values import OptionValues
from support.known_causes import known_values

ROWS, EXAMPLES = 6, 150


def effects(of: OptionValues, blocks: list[Ints]) -> Floats:
    """[2, G, R] of prior and skill, summed over each block, less their means over the rows."""
    fit = Fit.to(of, finite_logprobs(of), answer_forms(of), blocks, np.random.default_rng(0))
    found = fit.effects(np.arange(ROWS), np.random.default_rng(0))
    both = np.stack([found.prior, found.skill])
    return both - both.mean(axis=2, keepdims=True)


def made(*, size: float = 1.0) -> OptionValues:
    """Unevenly distributed answers, so that priors cost accuracy."""
    priors = np.linspace(-0.3, 1, ROWS)[:, None] * [1, -1]
    of = known_values(priors, np.full(ROWS, 1.0), examples=EXAMPLES, labels=(0.75, 0.25), seed=4)
    return replace(of, values=size * of.values)


def letters_and_texts() -> OptionValues:
    of = made()
    classes = np.array(of.classes)
    order = np.random.default_rng(0).integers(0, 2, EXAMPLES)
    classes[3:] = np.stack([order, 1 - order], axis=1)
    names = tuple(("A", "B") if row >= 3 else names for row, names in enumerate(of.class_names))
    return replace(of, classes=classes, class_names=names)


@pytest.mark.parametrize(
    "of", [made(), made(size=12.0), letters_and_texts()], ids=["plain", "sure model", "letters and texts"]
)
def test_effects_follow_resampled_examples_as_those_of_full_fits_do(of: OptionValues) -> None:
    rng = np.random.default_rng(0)
    by_example = effects(of, [np.array([place]) for place in range(EXAMPLES)])
    contrast = np.linspace(-1, 1, ROWS)
    steps, fits = [], []
    for _ in range(80):
        drawn = rng.integers(0, EXAMPLES, EXAMPLES)
        counts = np.bincount(drawn, minlength=EXAMPLES)
        steps.append(np.einsum("e,cer->cr", counts, by_example) @ contrast / EXAMPLES)
        fits.append(effects(of.take_examples(drawn), [np.arange(EXAMPLES)])[:, 0] @ contrast / EXAMPLES)
    assert np.std(steps, axis=0) == pytest.approx(np.std(fits, axis=0), rel=0.2)
    assert min(np.corrcoef(np.array(steps)[:, cause], np.array(fits)[:, cause])[0, 1] for cause in (0, 1)) > 0.8


def test_what_the_priors_add_to_the_blocks_is_no_part_of_the_sum() -> None:
    of = made()
    whole = effects(of, [np.arange(EXAMPLES)]).sum(axis=1)
    for blocks in (np.array_split(np.arange(EXAMPLES), 7), np.array_split(np.arange(EXAMPLES), EXAMPLES)):
        assert effects(of, list(blocks)).sum(axis=1) == pytest.approx(whole, abs=0.05)
