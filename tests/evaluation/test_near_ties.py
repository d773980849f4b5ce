from __future__ import annotations

import math

import pytest

from phraseproof.core import OptionScores, Prompt
from phraseproof.evaluation.near_ties import NearTies
from phraseproof.models.scripted import ScriptedModel


@pytest.mark.parametrize(
    ("logprobs", "near"), [((-1.0, -1.1), True), ((-1.0, -3.0), False), ((-1.0, -1.0), True), ((-1.0,), False)]
)
def test_a_lead_within_the_bound_is_a_near_tie(logprobs: tuple[float, ...], near: bool) -> None:
    ties = NearTies(ScriptedModel(), 0.5, "loglikelihood")
    assert ties.is_near(OptionScores(logprobs, 1, 1), Prompt("?", ("a", "b")[: len(logprobs)])) == near


def test_tokens_of_both_passes_are_counted() -> None:
    prompt, exact = Prompt("one two", ("a", "b")), ScriptedModel()
    (again,) = NearTies(exact, 0.5, "loglikelihood").again([OptionScores((-1.0, -1.1), 2, 100)], [prompt])
    (full,) = exact.score_options([prompt])
    assert again.scores == full._replace(computed_tokens=100 + full.computed_tokens)


def test_what_scoring_again_finds_is_counted() -> None:
    prompt, exact = Prompt("one two", ("a", "b")), ScriptedModel()
    (full,) = exact.score_options([prompt])
    ties = NearTies(exact, 0.5, "loglikelihood")
    moved = OptionScores((full.logprobs[0] + 0.2, full.logprobs[1] - 0.1), 2, 100)
    swapped = OptionScores(full.logprobs[::-1], 2, 100)
    again = ties.again([moved, swapped], [prompt, prompt])
    assert ties.found["prompts"] == 0, "their outcomes are not stored yet"
    ties.count(each.error for each in again)
    lead = abs(full.logprobs[0] - full.logprobs[1])
    assert ties.found["prompts"] == 2
    assert ties.found["changed_choices"] >= 1
    assert ties.found["largest_error"] == pytest.approx(max(0.3, 2 * lead))
    for scores in (OptionScores((math.nan, -1.0), 2, 100), moved):
        ties.count(each.error for each in ties.again([scores], [prompt]))
    assert (ties.found["prompts"], ties.found["largest_error"]) == (4, None)
