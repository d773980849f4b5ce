"""Losses over options against plain loops."""

from __future__ import annotations

import math

import pytest
import torch

from phraseproof.alignment.option_losses import (
    choice_loss,
    distribution,
    majority_option,
    soft_cross_entropy,
    swarm_distillation,
    token_logprobs,
)
from support.loss_groups import options

SCORES = torch.tensor([[-1.0, -2.0, -4.0], [-3.0, -0.5, -2.0], [-0.2, -0.9, -7.0]], dtype=torch.float64)


def shares(row: list[float]) -> list[float]:
    total = sum(map(math.exp, row))
    return [math.exp(value) / total for value in row]


def test_a_distribution_is_over_the_options() -> None:
    torch.testing.assert_close(
        distribution(SCORES).exp(), torch.tensor([shares(row) for row in SCORES.tolist()], dtype=torch.float64)
    )


def test_every_wording_learns_from_every_other_one() -> None:
    rows = [shares(row) for row in SCORES.tolist()]
    pairs = [(i, j) for i in range(3) for j in range(3) if i != j]
    expected = -sum(q * math.log(p) for i, j in pairs for q, p in zip(rows[i], rows[j], strict=True)) / len(pairs)
    assert float(swarm_distillation(SCORES)) == pytest.approx(expected)
    with pytest.raises(ValueError, match="no two wordings"):
        swarm_distillation(SCORES[:1])


def test_the_gradient_of_a_wording_is_its_distance_from_the_others() -> None:
    """The teachers are constants: d/dz_j = (p_j - mean of the others) / N, which finite differences would not give."""
    scores = SCORES.clone().requires_grad_()
    swarm_distillation(scores).backward()
    rows = torch.tensor([shares(row) for row in SCORES.tolist()], dtype=torch.float64)
    others = (rows.sum(dim=0) - rows) / 2
    torch.testing.assert_close(scores.grad, (rows - others) / 3)


def test_the_choice_among_options_is_a_classification() -> None:
    rows = [shares(row) for row in SCORES.tolist()]
    right = torch.tensor([0.0, 1.0, 0.0])
    assert float(choice_loss(SCORES, right)) == pytest.approx(-sum(math.log(row[1]) for row in rows) / 3)
    mixed = [0.25, 0.75, 0.0]
    expected = -sum(q * math.log(p) for row in rows for q, p in zip(mixed, row, strict=True)) / 3
    assert float(choice_loss(SCORES, torch.tensor(mixed))) == pytest.approx(expected)


def test_the_choice_does_not_depend_on_how_probable_all_options_are() -> None:
    right = torch.tensor([0.0, 0.0, 1.0])
    assert float(choice_loss(SCORES - 5, right)) == pytest.approx(float(choice_loss(SCORES, right)))


def test_where_wordings_agree_nothing_pulls_them() -> None:
    scores = SCORES[:1].repeat(3, 1).requires_grad_()
    swarm_distillation(scores).backward()
    assert scores.grad is not None
    torch.testing.assert_close(scores.grad, torch.zeros_like(scores.grad))


def test_the_majority_counts_votes_and_then_probabilities() -> None:
    assert majority_option(SCORES) == 0
    assert majority_option(SCORES[[1, 1, 0]]) == 1
    tied = torch.tensor([[0.0, -5.0], [-0.4, 0.0]])
    assert majority_option(tied) == 0
    assert majority_option(tied.flip(1)) == 1


def test_soft_targets_are_the_weighted_mean_of_each_options_cross_entropy() -> None:
    given = options(2)
    weights = torch.tensor([0.2, 0.5, 0.3, 0.0], dtype=torch.float64)
    logprobs = token_logprobs(given.logits, given.targets)
    expected = 0.0
    for option in range(4):
        means: list[float] = []
        for wording in range(2):
            size = int((given.targets[wording, option] >= 0).sum())
            values = given.logits.detach()[wording, option].log_softmax(-1)
            picked = [float(values[place, given.targets[wording, option, place]]) for place in range(size)]
            means.append(-sum(picked) / size)
        expected += float(weights[option]) * sum(means) / 2
    assert soft_cross_entropy(logprobs, given.targets, weights).item() == pytest.approx(expected)


def test_gradients_reach_every_token_and_no_padding() -> None:
    given = options(2)
    logprobs = token_logprobs(given.logits, given.targets)
    soft_cross_entropy(logprobs, given.targets, torch.full((4,), 0.25, dtype=torch.float64)).backward()
    gradient = given.logits.grad
    assert gradient is not None
    assert torch.equal(gradient.abs().sum(dim=-1) > 0, given.targets >= 0)


def test_half_precision_is_computed_in_float32() -> None:
    given = options(1)
    found = token_logprobs(given.logits.detach().bfloat16(), given.targets)
    assert found.dtype == torch.float32
