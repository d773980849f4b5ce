"""Every method's loss: made of the terms in `losses.py`, and equal to numbers that plain loops give."""

from __future__ import annotations

import math

import pytest
import torch

from phraseproof.alignment.losses import (
    bounded_negation,
    contrastive_kl,
    cross_entropy,
    kl_to_reference,
    mean_squared_states,
)
from phraseproof.alignment.method import GroupOutput, LossSettings
from phraseproof.alignment.methods import METHODS
from phraseproof.alignment.objectives import (
    cross_entropy_alone,
    encoder_mse,
    kl_and_pushed_negations,
    pushed_negations,
    with_contrast,
    with_kl,
)
from support.loss_groups import group

EXACT = LossSettings()


@pytest.mark.parametrize("weight", [0.0, 0.8, 1.0])
@pytest.mark.parametrize("name", ["pt+kl", "ft+kl"])
def test_the_papers_loss(name: str, weight: float) -> None:
    one = group()
    ce, kl = cross_entropy(one.logits, one.targets), kl_to_reference(one.logits, one.mask, rows=[1, 2, 3])
    terms = METHODS[name].loss([one], LossSettings(lambda_=weight))
    torch.testing.assert_close(terms.total, (1 - weight) * ce + weight * kl)
    torch.testing.assert_close(terms.ce, ce)
    assert terms.kl is not None
    torch.testing.assert_close(terms.kl, kl)
    assert terms.other is None


@pytest.mark.parametrize("name", ["pt", "ft"])
def test_without_kl_the_weight_is_no_factor(name: str) -> None:
    one = group()
    terms = METHODS[name].loss([one], LossSettings(lambda_=0.8))
    torch.testing.assert_close(terms.total, cross_entropy(one.logits, one.targets))
    assert terms.kl is None


@pytest.mark.parametrize("bound", [None, 1.0])
def test_contrast_compares_neighbours(bound: float | None) -> None:
    groups = [group(seed=seed) for seed in range(4)]
    contrasts = [
        contrastive_kl(
            groups[own].logits,
            groups[own].mask,
            groups[other].logits[0],
            groups[other].mask[0],
            rows=[1, 2, 3],
            bound=bound,
        )
        for own, other in ((0, 1), (1, 0), (2, 3), (3, 2))
    ]
    ces = [cross_entropy(each.logits, each.targets) for each in groups]
    terms = METHODS["pt+contrastive"].loss(groups, LossSettings(push_bound=bound))
    torch.testing.assert_close(terms.total, 0.2 * sum(ces) / 4 + 0.8 * sum(contrasts) / 4)
    kls = [kl_to_reference(each.logits, each.mask, rows=[1, 2, 3]) for each in groups]
    torch.testing.assert_close(terms.kl, sum(kls) / 4)
    for count in (0, 1, 3):
        with pytest.raises(ValueError, match="needs a multiple of 2 groups"):
            METHODS["pt+contrastive"].loss(groups[:count], EXACT)


def test_mse_is_the_states_distance_alone() -> None:
    one = group(states=True)
    assert one.prefix_states is not None
    terms = METHODS["mse"].loss([one], EXACT)
    torch.testing.assert_close(terms.total, mean_squared_states(one.prefix_states, rows=[1, 2, 3]))
    torch.testing.assert_close(terms.ce, cross_entropy(one.logits, one.targets).detach())
    with pytest.raises(ValueError, match="encoder's states"):
        METHODS["mse"].loss([group()], EXACT)


def test_negation_pushes_negations_away() -> None:
    one = group(paraphrases=0, negations=3)
    distance = bounded_negation(one.logits, one.mask, rows=[1, 2, 3])
    terms = METHODS["negation"].loss([one], EXACT)
    torch.testing.assert_close(terms.total, 1.8 * cross_entropy(one.logits[:1], one.targets[:1]) - 0.8 * distance)
    kl_before = kl_to_reference(one.logits, one.mask, rows=[1, 2, 3])
    (slope,) = torch.autograd.grad(terms.total, one.logits)
    slope[0] = 0  # the reference moves by the cross-entropy alone
    moved = (one.logits - 0.1 * slope).detach()
    assert kl_to_reference(moved, one.mask, rows=[1, 2, 3]) > kl_before, "as printed it would fall"


def test_joint_is_the_mean_of_pulling_and_pushing() -> None:
    one = group(paraphrases=2, negations=2)
    pulled, pushed = METHODS["pt+kl"].loss([one], EXACT), METHODS["negation"].loss([one], EXACT)
    terms = METHODS["joint"].loss([one], EXACT)
    torch.testing.assert_close(terms.total, (pulled.total + pushed.total) / 2)
    torch.testing.assert_close(terms.kl, pulled.kl)
    torch.testing.assert_close(terms.other, pushed.other)


def test_negations_are_never_taught_the_target() -> None:
    one = group(paraphrases=2, negations=2)
    terms = METHODS["joint"].loss([one], EXACT)
    torch.testing.assert_close(terms.ce, cross_entropy(one.logits[:3], one.targets[:3]).detach())


@pytest.mark.parametrize("name", METHODS)
def test_what_is_reported_holds_no_graph(name: str) -> None:
    groups = [group(2, 2, seed=seed, states=True) for seed in range(2)]
    terms = METHODS[name].loss(groups, EXACT)
    for term in (terms.ce, terms.kl, terms.other):
        assert term is None or not term.requires_grad


# ------------------------------------------------------------------------------------------------ against plain numbers


def by_hand(rows: list[list[float]]) -> list[list[float]]:
    """Log-softmax of each row, in plain Python."""
    return [[value - math.log(sum(map(math.exp, row))) for value in row] for row in rows]


def kl(p: list[float], q: list[float]) -> float:
    return sum(math.exp(one) * (one - other) for one, other in zip(p, q, strict=True))


LOGITS = [[0.0, 1.0, -1.0], [0.5, 0.0, 0.25], [2.0, -1.0, 0.0]]
"""One target token, three tokens of vocabulary: the reference, a paraphrase, a negation. The target is token 1."""
STATES = [[[1.0, 2.0]], [[2.0, 4.0]], [[9.0, 9.0]]]
REFERENCE, PARAPHRASE, NEGATION = by_hand(LOGITS)
CE = -(REFERENCE[1] + PARAPHRASE[1]) / 2
KL = kl(PARAPHRASE, REFERENCE)
DISTANCE = 1 - math.exp(-kl(NEGATION, REFERENCE))


def small(logits: list[list[float]] = LOGITS) -> GroupOutput:
    return GroupOutput(
        torch.tensor(logits, dtype=torch.float64)[:, None],
        torch.ones(3, 1, dtype=torch.int64),
        torch.ones(3, 1, dtype=torch.bool),
        paraphrases=1,
        negations=1,
        prefix_states=torch.tensor(STATES, dtype=torch.float64),
    )


def test_losses_equal_numbers_computed_by_hand() -> None:
    settings = LossSettings(lambda_=0.25)
    assert cross_entropy_alone([small()], settings).total.item() == pytest.approx(CE)
    assert with_kl([small()], settings).total.item() == pytest.approx(0.75 * CE + 0.25 * KL)
    assert pushed_negations([small()], settings).total.item() == pytest.approx(1.25 * CE - 0.25 * DISTANCE)
    assert kl_and_pushed_negations([small()], settings).total.item() == pytest.approx(CE + 0.125 * (KL - DISTANCE))
    # The states of the paraphrase differ from the reference's by 1 and 2: the mean of 1 and 4.
    assert encoder_mse([small()], settings).total.item() == pytest.approx(2.5)
    alone = with_kl([small()], LossSettings(lambda_=0.25, reference_in_ce=False))
    assert alone.total.item() == pytest.approx(0.75 * -PARAPHRASE[1] + 0.25 * KL)


@pytest.mark.parametrize("bound", [None, 0.5])
def test_the_contrast_equals_numbers_computed_by_hand(bound: float | None) -> None:
    other = [[1.0, 0.0, 3.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    first, second, _ = by_hand(other)

    def pushed(distance: float) -> float:
        return distance if bound is None else bound * (1 - math.exp(-distance / bound))

    contrasts = [KL - pushed(kl(PARAPHRASE, first)), kl(second, first) - pushed(kl(second, REFERENCE))]
    ce = (CE - (first[1] + second[1]) / 2) / 2
    terms = with_contrast([small(), small(other)], LossSettings(lambda_=0.25, push_bound=bound))
    assert terms.total.item() == pytest.approx(0.75 * ce + 0.25 * sum(contrasts) / 2)
    assert terms.kl is not None
    assert terms.kl.item() == pytest.approx((KL + kl(second, first)) / 2)
