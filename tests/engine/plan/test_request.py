"""Deduplicated requests: equal contexts once, and every option found again."""

from __future__ import annotations

from phraseproof.engine.plan.request import DeduplicatedRequests, TokenCounts

A, B, C = (1,), (2, 3), (4,)


def two_prompts() -> DeduplicatedRequests:
    requests = DeduplicatedRequests()
    for options in ((A, B), (C, A)):
        requests.add(requests.find((7, 8, 9), options, steps=0), TokenCounts(3, 0, 9))
    return requests


def test_equal_contexts_are_one_request_with_all_options() -> None:
    requests = two_prompts()
    (request,) = requests.distinct()
    assert request.context.tolist() == [7, 8, 9]
    assert request.options == (A, B, C)
    assert requests.places(0) == [(0, 0), (0, 1)]
    assert requests.places(1) == [(0, 2), (0, 0)]
    assert requests.option_tokens(requests.places(0)) == (1, 2)
    assert requests.facts(1) == TokenCounts(3, 0, 9)


def test_what_a_request_takes_counts_for_the_first_prompt_that_needs_it() -> None:
    requests = two_prompts()
    requests.add(requests.find((5,), (A,), steps=0), TokenCounts(1, 0, 2))
    assert requests.per_prompt([10, 4]) == [10, 0, 4]
    assert requests.users() == [[0, 1], [2]]


def test_greedy_decoding_shares_a_request_only_between_equal_options() -> None:
    requests = DeduplicatedRequests()
    found = [requests.find((7,), options, steps=1)[0][0] for options in ((A, C), (C, A), (A, C))]
    assert found == [0, 1, 0]
