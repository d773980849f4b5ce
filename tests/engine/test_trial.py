"""Trial requests cross what they are made to cross."""

from __future__ import annotations

import torch

from phraseproof.engine.trial import (
    Lengths,
    agree,
    same_features,
    same_logits,
    similar_logits,
    trial_logits,
    trial_requests,
)
from support import tiny_models


def kept(context: int, option: int) -> int:
    return min(context, 40 - option + 1)


def test_contexts_and_options_lie_on_both_sides_of_a_threshold() -> None:
    requests = trial_requests(Lengths(16), 64, kept)
    ends = {len(request.context) + len(option) - 1 for request in requests for option in request.options}
    assert min(ends) < 16 < max(ends)
    assert any(
        len(request.context) < 16 < len(request.context) + max(map(len, request.options)) - 1 for request in requests
    )


def test_nothing_is_longer_than_the_context() -> None:
    for request in trial_requests(Lengths(40), 64, kept):
        assert len(request.context) + max(map(len, request.options)) - 1 <= 40


def test_beyond_a_threshold_no_context_is_short() -> None:
    assert min(len(request.context) for request in trial_requests(Lengths(16, is_beyond=True), 64, kept)) > 16


def test_scores_agree_up_to_rounding_and_nan_never_does() -> None:
    assert agree([[1.0, 2.0]], [[1.00001, 2.0]], torch.float32)
    assert not agree([[1.0, 2.0]], [[1.01, 2.0]], torch.float32)
    assert agree([[1.0]], [[1.01]], torch.bfloat16)
    assert not agree([[float("nan")]], [[1.0]], torch.float32)


def test_logits_of_a_network_agree_with_themselves_and_not_with_another_ones() -> None:
    one, other = (tiny_models.llama_network(64, seed=seed).eval() for seed in (0, 1))
    expected = trial_logits(one)
    assert expected is not None
    assert same_logits(trial_logits(one), expected)
    assert not same_logits(trial_logits(other), expected)
    assert not same_logits(None, expected)


def test_logits_in_half_precision_are_similar_and_those_of_another_network_are_not() -> None:
    network = tiny_models.llama_network(64).eval()
    expected = trial_logits(network)
    assert expected is not None
    assert similar_logits(trial_logits(network.to(torch.bfloat16)), expected)
    assert not similar_logits(expected * 1.3, expected)
    assert not similar_logits(expected[:, :-1], expected)
    assert not similar_logits(expected * float("nan"), expected)
    assert not similar_logits(None, expected)


def test_features_are_compared_by_their_own_size() -> None:
    expected = torch.tensor([[1000.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert same_features(expected + torch.tensor([0.9, 1.9e-3, 0.9e-3]), expected)
    assert not same_features(expected + torch.tensor([1.1, 0.0, 0.0]), expected)
    assert not same_features(expected + torch.tensor([0.0, 2.1e-3, 0.0]), expected)
    assert not same_features(expected + torch.tensor([0.0, 0.0, 1.1e-3]), expected)
    assert not same_features(expected * float("nan"), expected)
    assert not same_features(expected[:1], expected)
    assert same_features(expected * (1 + 9e-5), expected, is_one_product=True)
    assert not same_features(expected * (1 + 2e-4), expected, is_one_product=True)
    assert same_features(expected[:0], expected[:0]), "a layer that got no token"
