"""Choices of tokens: greedy and drawn, with the leads that rounding may change."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import LogitsProcessorList, NoRepeatNGramLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper

from phraseproof.engine.generation.token_choice import (
    ROUNDING,
    Noise,
    NoisyScores,
    RoundingTies,
    TextProcessors,
    TokenChooser,
)
from phraseproof.errors import ModelError

NONE = LogitsProcessorList()


def test_the_highest_score_is_taken_and_a_small_lead_is_a_near_tie() -> None:
    logits = torch.tensor([[0.0, 20.0, 20.0 - 21 * ROUNDING], [1.0, 20.0, 20.0 - 19 * ROUNDING], [9.0, 0.0, 1.0]])
    found = TokenChooser(NONE, ties=RoundingTies()).choose([0, 1, 2], [[], [], []], logits)
    assert [tuple(each) for each in found] == [(1, False), (1, True), (0, False)]
    assert not any(each.is_near_tie for each in TokenChooser(NONE).choose([0, 1], [[], []], logits[:2]))


def test_draws_follow_the_softmax_and_depend_on_seed_and_place_alone() -> None:
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0])
    warpers = LogitsProcessorList([TemperatureLogitsWarper(2.0), TopKLogitsWarper(3)])
    texts = list(range(4000))
    chooser = TokenChooser(warpers, noise=Noise(texts))
    drawn = [each.token for each in chooser.choose(texts, [[]] * 4000, logits.expand(4000, -1))]
    shares = np.bincount(drawn, minlength=4) / 4000
    expected = torch.softmax(logits[:3] / 2, dim=0).numpy()
    # Four standard errors of a share of 4,000 draws.
    assert np.all(np.abs(shares[:3] - expected) < 4 * np.sqrt(expected * (1 - expected) / 4000))
    assert shares[3] == 0
    alone = [chooser.choose([text], [[]], logits[None])[0].token for text in texts[:50]]
    assert alone == drawn[:50]
    later = [chooser.choose([text], [[1]], logits[None])[0].token for text in texts[:50]]
    assert later != alone


def test_processors_that_read_tokens_see_those_of_their_text() -> None:
    given = {0: torch.tensor([[1, 2]]), 1: torch.tensor([[2, 1]])}

    def apart(text: int) -> TextProcessors:
        return TextProcessors(LogitsProcessorList([NoRepeatNGramLogitsProcessor(2)]), given[text])

    logits = torch.tensor([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    chooser = TokenChooser(NONE, apart)
    # Text 0 has 1 2 and wrote 1, so 2 is forbidden; text 1 has 2 1 and wrote 1.
    assert [each.token for each in chooser.choose([0, 1], [[1], [1]], logits)] == [1, 2]
    chooser.forget(0)
    given[0] = torch.tensor([[0, 0]])
    assert chooser.choose([0], [[1]], logits[:1])[0].token == 2


def test_transformers_last_processor_gives_the_same_scores_and_notes_ties() -> None:
    logits = torch.randn(3, 7, generator=torch.Generator().manual_seed(0))
    noise = Noise([5, 6, 7])
    last = NoisyScores(3, noise, RoundingTies())
    last.given = 2
    tokens = last(torch.zeros(3, 4, dtype=torch.long), logits).argmax(dim=-1).tolist()
    chosen = TokenChooser(NONE, noise=noise).choose([0, 1, 2], [[0, 0]] * 3, logits)
    assert [each.token for each in chosen] == tokens
    assert last.near_ties == {}
    last = NoisyScores(2, None, RoundingTies())
    for length in (0, 1, 2):
        last(torch.zeros(2, length, dtype=torch.long), torch.tensor([[1.0, 0.0], [1.0, 1.0 if length == 1 else 0.0]]))
    assert last.near_ties == {1: 1}


def test_logits_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ModelError, match="not numbers"):
        TokenChooser(NONE).choose([0], [[]], torch.full((1, 3), float("nan")))
