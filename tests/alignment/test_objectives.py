"""Every method's loss: made of the terms in `losses.py`, and equal to numbers that plain loops give."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from phraseproof.alignment.losses import (
    bounded_negation,
    contrastive_kl,
    cross_entropy,
    jensen_shannon,
    kl_to_reference,
    mean_squared_states,
)
from phraseproof.alignment.method import GroupOutput, LossSettings
from phraseproof.alignment.methods import METHODS
from phraseproof.alignment.objectives import (
    cross_entropy_alone,
    encoder_mse,
    kl_and_pushed_negations,
    option_scores,
    pushed_negations,
    with_contrast,
    with_kl,
)
from phraseproof.alignment.option_losses import choice_loss, majority_option, swarm_distillation
from support.loss_groups import group, options

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
    groups = [group(2, 2, seed=seed, states=True)._replace(options=options(3, seed=seed)) for seed in range(2)]
    terms = METHODS[name].loss(groups, EXACT)
    for term in (terms.ce, terms.kl, terms.other):
        assert term is None or not term.requires_grad


@pytest.mark.parametrize(
    ("name", "term"),
    [
        ("pt+js", lambda one: jensen_shannon(one.logits, one.mask, rows=range(4))),
        ("pt+swarm", lambda one: swarm_distillation(option_scores(one.options))),
    ],
)
def test_a_consistency_term_is_weighed_against_the_labels(name: str, term: Callable[[GroupOutput], Tensor]) -> None:
    one = group()._replace(options=options(4))
    found = METHODS[name].loss([one], LossSettings(lambda_=0.3))
    torch.testing.assert_close(found.total, 0.7 * cross_entropy(one.logits, one.targets) + 0.3 * term(one))
    assert found.other is not None
    torch.testing.assert_close(found.other, term(one))
    assert found.kl is not None
    torch.testing.assert_close(found.kl, kl_to_reference(one.logits, one.mask, rows=[1, 2, 3]))


@pytest.mark.parametrize("weights", [None, [0.1, 0.2, 0.3, 0.4]])
def test_the_choice_among_options_is_weighed_against_the_targets_text(weights: list[float] | None) -> None:
    one = group()._replace(options=options(4, weights=weights))
    assert one.options is not None
    right = torch.tensor([0.0, 0.0, 1.0, 0.0] if weights is None else weights, dtype=torch.float64)
    found = METHODS["pt+choice"].loss([one], LossSettings(lambda_=0.3))
    choice = choice_loss(option_scores(one.options), right)
    torch.testing.assert_close(found.total, 0.7 * METHODS["pt"].loss([one]).total + 0.3 * choice)
    torch.testing.assert_close(found.other, choice)
    assert found.kl is None
    without = METHODS["pt+choice"].loss([one], LossSettings(lambda_=1, reference_in_ce=False)).total
    torch.testing.assert_close(without, choice_loss(option_scores(one.options)[1:], right))


def test_the_majoritys_option_is_the_target_of_all_wordings() -> None:
    one = group()._replace(options=options(4, has_end=True))
    assert one.options is not None
    scores = option_scores(one.options)
    chosen = majority_option(scores)
    size = int(one.options.scored[0, chosen].sum())
    logprobs = one.options.logits[:, chosen, :size].log_softmax(-1)
    picked = logprobs.gather(-1, one.options.targets[:, chosen, :size, None])
    found = METHODS["pt+majority"].loss([one], LossSettings(lambda_=1))
    torch.testing.assert_close(found.total, -picked.mean())


@pytest.mark.parametrize("name", ["pt+kl", "pt+js", "pt+swarm", "pt+majority", "ft+contrastive"])
def test_cross_entropy_counts_sets_with_a_label_only(name: str) -> None:
    groups = [group(seed=seed)._replace(options=options(4, seed=seed)) for seed in range(2)]
    both = METHODS[name].loss(groups, LossSettings(lambda_=0.4)).total
    half = METHODS[name].loss([groups[0], groups[1]._replace(labelled=False)], LossSettings(lambda_=0.4)).total
    none = METHODS[name].loss([each._replace(labelled=False) for each in groups], LossSettings(lambda_=0.4)).total
    ces = [cross_entropy(each.logits, each.targets) for each in groups]
    torch.testing.assert_close(both - half, 0.6 * ces[1] / 2)
    torch.testing.assert_close(half - none, 0.6 * ces[0] / 2)


def test_a_teachers_distribution_weighs_the_options() -> None:
    sure = group()._replace(options=options(4, weights=[0.0, 0.0, 1.0, 0.0]))
    mixed = sure._replace(options=options(4, weights=[0.1, 0.2, 0.3, 0.4]))
    assert sure.options is not None
    by_option = [cross_entropy(sure.options.logits[:, option], sure.options.targets[:, option]) for option in range(4)]
    torch.testing.assert_close(METHODS["pt"].loss([sure]).total, by_option[2])
    expected = sum(weight * ce for weight, ce in zip([0.1, 0.2, 0.3, 0.4], by_option, strict=True))
    torch.testing.assert_close(METHODS["pt"].loss([mixed]).total, expected)
    without = METHODS["pt"].loss([mixed], LossSettings(reference_in_ce=False)).total
    assert not torch.isclose(without, METHODS["pt"].loss([mixed]).total)


@pytest.mark.parametrize("weight", [0.5, 0.8])
def test_balanced_terms_have_the_gradients_asked_for(weight: float) -> None:
    one = group()
    ce, kl_term = cross_entropy(one.logits, one.targets), kl_to_reference(one.logits, one.mask, rows=[1, 2, 3])
    of_ce, of_kl = (torch.autograd.grad(term, one.logits, retain_graph=True)[0] for term in (ce, kl_term))
    total = METHODS["pt+kl"].loss([one], LossSettings(lambda_=weight, is_balanced=True)).total
    (found,) = torch.autograd.grad(total, one.logits)
    scale = of_ce.norm() / of_kl.norm()
    torch.testing.assert_close(found, (1 - weight) * of_ce + weight * scale * of_kl)


def test_balancing_has_a_limit_and_needs_a_label() -> None:
    one = group()
    same = one._replace(logits=(one.logits[:1].detach().expand(4, -1, -1) + 0).requires_grad_())
    terms = METHODS["pt+kl"].loss([same], LossSettings(is_balanced=True))
    assert torch.isfinite(terms.total)
    plain = METHODS["pt+kl"].loss([one._replace(labelled=False)], LossSettings())
    balanced = METHODS["pt+kl"].loss([one._replace(labelled=False)], LossSettings(is_balanced=True))
    torch.testing.assert_close(plain.total, balanced.total)
    with torch.no_grad():
        torch.testing.assert_close(
            METHODS["pt+kl"].loss([one], LossSettings(is_balanced=True)).total,
            METHODS["pt+kl"].loss([one], LossSettings()).total,
        )


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
