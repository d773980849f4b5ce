"""Sentences about scorers, from shares that are set by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from phraseproof.analysis.causes.scorer_sentence import scorer_sentence
from phraseproof.analysis.causes.scorers import ScorerSpread, scorer_spread
from phraseproof.core import Finding
from support.other_metrics import LETTERS
from support.scorer_grids import known_scorers, names_of


def share(estimate: float, low: float | None = None, high: float | None = None) -> Finding:
    return Finding(
        "", estimate, 12, "", estimate - 0.05 if low is None else low, estimate + 0.05 if high is None else high
    )


def spread(common: Finding, *alone: Finding, noise: float = 0.05) -> ScorerSpread:
    known = known_scorers(np.random.default_rng(0), common=0.1, alone=(0.0,) * len(alone), examples=1200)
    found = scorer_spread(known.scores, names_of(known), resamples=10)
    names = ("loglikelihood", "loglikelihood_norm", "generate")[: len(alone)]
    return replace(
        found, scorers=names, stds=(0.098, 0.081, 0.12)[: len(alone)], p_values=(0.001, 0.2, 0.3)[: len(alone)],
        common=common, alone=alone, noise=share(noise),
    )  # fmt: skip


START = "Under loglikelihood the Std is 9.8, under loglikelihood_norm 8.1; "


def test_the_share_in_common_is_named_with_the_largest_other_part() -> None:
    assert (
        scorer_sentence(spread(share(0.81), share(0.1), share(0.04))) == START + "four fifths of it is common to both."
    )
    assert scorer_sentence(spread(share(0.6), share(0.08), share(0.27))) == (
        START + "three fifths of it is common to both, and three tenths is of loglikelihood_norm alone."
    )
    assert scorer_sentence(spread(share(-0.1), share(0.3), share(0.2), noise=0.6)) == (
        START + "none of it is common to both, and three fifths is the draw of examples."
    )


def test_a_share_alone_that_may_be_none_is_not_named() -> None:
    found = spread(share(0.6), share(0.3, -0.1, 0.5), share(0.05))
    assert scorer_sentence(found) == START + "three fifths of it is common to both."


def test_three_scorers_are_listed() -> None:
    found = spread(share(0.9), share(0.02), share(0.02), share(0.01))
    assert scorer_sentence(found) == (
        "Under loglikelihood the Std is 9.8, under loglikelihood_norm 8.1 and under generate 12.0; nine tenths of it "
        "is common to all 3."
    )
    none = replace(found, p_values=(0.3, 0.2, 0.1))
    assert scorer_sentence(none).endswith("; none is larger than what 1,200 examples give by chance.")


def test_what_the_examples_do_not_show_is_not_stated() -> None:
    unknown = share(0.5, -0.1, 0.9)
    found = spread(unknown, share(0.2, -0.5, 0.6), share(0.2, -0.5, 0.6))
    assert scorer_sentence(found) == START + "1,200 examples do not show how much of it is common to both."
    known = replace(found, alone=(share(0.1, -0.1, 0.3), share(0.8, 0.4, 1.1)))
    assert scorer_sentence(known) == START + "four fifths of it is of loglikelihood_norm alone."
    nothing = replace(found, p_values=(0.2, 0.05))
    assert scorer_sentence(nothing) == START + "neither is larger than what 1,200 examples give by chance."


def test_a_std_is_in_the_metrics_unit() -> None:
    found = replace(spread(share(0.8), share(0.1), share(0.1)), metric=LETTERS, stds=(12.345, 0.5))
    assert scorer_sentence(found).startswith("Under loglikelihood the Std is 12.3, under loglikelihood_norm 0.5;")
