from __future__ import annotations

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
    assert again == full._replace(computed_tokens=100 + full.computed_tokens)
