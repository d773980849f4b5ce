"""Sentences about artefacts of scoring, from shares that are set by hand."""

from __future__ import annotations

import numpy as np

from phraseproof.analysis.causes.artefact import Artefact, Guessed
from phraseproof.analysis.causes.artefact_sentence import artefact_sentence
from phraseproof.analysis.causes.choices import ChoiceAgreement
from phraseproof.analysis.causes.scorers import PairSpread
from phraseproof.core import Finding


def pair(estimate: float, low: float, high: float) -> PairSpread:
    return PairSpread(Finding("", estimate, 10, "", low, high), Finding("", 0.4, 10, "", 0.2, 0.75))


def artefact(
    shares: PairSpread | None,
    *,
    beyond: bool = True,
    read: int = 90,
    unread: float = 0.0,
    guessed: PairSpread | None = None,
) -> Artefact:
    agreement = ChoiceAgreement(
        np.array([100]), np.array([read]), np.array([read * 2 // 3]), np.array([0.0, unread]), 0.456
    )
    filled = None if guessed is None else Guessed(0.5, 0.1, guessed)
    return Artefact(
        "t", 0, "loglikelihood", "generate", ("w",), (0.5, 0.4), (0.1, 0.05), beyond, shares, agreement, filled, ()
    )


def test_a_known_share_is_stated() -> None:
    assert artefact_sentence(artefact(pair(0.62, 0.4, 0.8))) == (
        "62% [40, 80] of the variance under loglikelihood is an artefact of scoring: generate does not share it. "
        "Of the answers that both read, 67% are the same (kappa 0.46)."
    )


def test_a_share_that_could_be_anything_is_not_claimed() -> None:
    found = artefact_sentence(artefact(pair(0.5, -0.2, 1.3), read=0))
    assert found == (
        "How much of the spread under loglikelihood is an artefact of scoring is not clear: "
        "50% [-20, 130] of its variance."
    )


def test_a_share_without_bounds_has_no_numbers() -> None:
    found = artefact_sentence(artefact(None, read=0))
    assert found == "How much of the spread under loglikelihood is an artefact of scoring is not clear."


def test_without_a_spread_there_is_no_artefact() -> None:
    found = artefact_sentence(artefact(pair(0.5, 0.4, 0.6), beyond=False, read=0))
    assert found == "Under loglikelihood there is no spread beyond chance that could be an artefact of scoring."


def test_many_unread_answers_are_named_with_the_share_if_they_were_guesses() -> None:
    found = artefact_sentence(artefact(pair(0.62, 0.4, 0.8), read=0, unread=0.31, guessed=pair(0.3, 0.1, 0.5)))
    assert found.endswith(
        "Of the texts, 31% name no option and count as wrong; with guesses in their place the artefact is 30% [10, 50]."
    )
    unclear = artefact_sentence(artefact(pair(0.62, 0.4, 0.8), read=0, unread=0.31, guessed=pair(0.3, -0.5, 1.5)))
    assert unclear.endswith("Of the texts, 31% name no option and count as wrong.")
