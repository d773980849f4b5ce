"""Limits of requests and cost."""

from __future__ import annotations

import pytest

from phraseproof.errors import LimitReachedError
from phraseproof.models.openai.spending import CHARACTERS_PER_TOKEN, Spending
from phraseproof.models.price import Price

PRICE = Price(1_000_000, 10_000_000)  # 1 per input token, 10 per output token
BODY = {"prompt": "x" * 30, "max_tokens": 2}


def test_requests_are_counted_to_the_limit() -> None:
    spending = Spending(max_requests=2)
    spending.free(spending.take(BODY))
    spending.take(BODY)
    with pytest.raises(LimitReachedError, match="stopped by --max-requests 2"):
        spending.take(BODY)
    assert spending.requests == 2


def test_cost_never_exceeds_its_limit_while_answers_keep_to_the_estimate() -> None:
    expected = 30 / CHARACTERS_PER_TOKEN + 2 * 10
    spending = Spending(max_cost=2.5 * expected, price=PRICE)
    first, second = spending.take(BODY), spending.take(BODY)
    with pytest.raises(LimitReachedError, match="max-cost 75: 0 is spent, and another request may cost 30"):
        spending.take(BODY)
    spending.answered(first, BODY, {"prompt_tokens": 6, "completion_tokens": 1})
    assert spending.cost == 6 + 10
    spending.free(second)
    # Five characters per token are known by now.
    third = spending.take(BODY)
    fourth = spending.take(BODY)
    assert spending.cost + 2 * (30 / 5 + 20) <= 75
    with pytest.raises(LimitReachedError):
        spending.take(BODY)
    spending.lost(third)
    assert spending.cost == 16 + 26
    spending.answered(fourth, BODY, None)  # no numbers: the expected ones
    assert spending.cost == 16 + 2 * 26


def test_messages_are_measured_and_wrong_numbers_are_not_believed() -> None:
    spending = Spending(price=PRICE)
    body = {"messages": [{"role": "user", "content": "y" * 300}], "max_tokens": 1}
    spending.answered(spending.take(body), body, {"prompt_tokens": -5, "completion_tokens": True})
    assert spending.cost > 300 / CHARACTERS_PER_TOKEN


def test_requests_of_batches_cost_their_share_and_those_of_a_refused_batch_were_not_sent() -> None:
    spending = Spending(max_requests=2, max_cost=30, price=PRICE)
    first, second = (spending.take(BODY, share=0.5) for _ in range(2))  # the expected cost of each is 15
    spending.unsent(second)
    assert spending.requests == 1
    spending.answered(first, BODY, {"prompt_tokens": 6, "completion_tokens": 1}, share=0.5)
    assert spending.cost == 8
    spending.answered(None, BODY, {"prompt_tokens": 6, "completion_tokens": 1}, share=0.5)  # an earlier command's
    assert (spending.cost, spending.requests) == (16, 1)
