"""What each method's loss is made of, what it asks for, and that it moves what it should."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import subprocess
import sys
from typing import Any

import pytest
import torch

from phraseproof.alignment.losses import (
    bounded_negation,
    contrastive_kl,
    cross_entropy,
    kl_to_reference,
    mean_squared_states,
)
from phraseproof.alignment.methods import METHODS, GroupOutput, LossSettings, Method, known_methods
from phraseproof.alignment.pairs import ParaphraseSet, TextOrigin
from phraseproof.errors import ModelError, UsageError

T, V = 3, 6
EXACT = LossSettings()


def group(paraphrases: int = 3, negations: int = 0, *, seed: int = 0, states: bool = False) -> GroupOutput:
    rows = 1 + paraphrases + negations
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, T, V, generator=generator, dtype=torch.float64)
    targets = torch.randint(V, (1, T), generator=generator).expand(rows, T)
    found = torch.randn(rows, 2, 4, generator=generator, dtype=torch.float64) if states else None
    mask = torch.ones(rows, T, dtype=torch.bool)
    return GroupOutput(logits.requires_grad_(), targets, mask, paraphrases, negations, found)


def pair(instruction: str = "Say.", *, negations: tuple[str, ...] = (), **fields: Any) -> ParaphraseSet:
    return ParaphraseSet(instruction, ("Tell.",), "x", "y", negations=negations, **fields)


# -------------------------------------------------------------------------------------------------------- what they are


def test_every_method_of_the_paper_is_there() -> None:
    assert set(METHODS) == {
        *("pt+kl", "pt", "ft", "ft+kl", "pt+contrastive", "ft+contrastive", "mse", "negation", "joint")
    }
    assert all(name == method.name and method.summary for name, method in METHODS.items())
    assert {name for name, method in METHODS.items() if method.trains == "weights"} == {"ft", "ft+kl", "ft+contrastive"}
    assert {name for name, method in METHODS.items() if not method.uses_kl} == {"pt", "ft", "mse"}
    assert {name for name, method in METHODS.items() if method.needs_negations} == {"negation", "joint"}


def test_listing_methods_does_not_import_torch() -> None:
    code = "import sys, phraseproof.alignment.methods; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_installed_packages_add_methods(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = dataclasses.replace(METHODS["pt"], name="mine")

    class Entry:
        name = "mine"

        def load(self) -> Method:
            return extra

    def entry_points(group: str) -> list[Entry]:
        assert group == "phraseproof.alignment_methods"
        return [Entry()]

    monkeypatch.setattr("phraseproof.alignment.methods.entry_points", entry_points)
    assert known_methods() == {**METHODS, "mine": extra}
    assert importlib.metadata.entry_points is not entry_points


# ----------------------------------------------------------------------------------------------------------- their loss


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
def test_a_loss_is_the_mean_over_its_groups(name: str) -> None:
    method = METHODS[name]
    negations = 2 if method.needs_negations else 0
    groups = [group(2, negations, seed=seed, states=True) for seed in range(4)]
    halves = [method.loss(groups[:2], EXACT).total, method.loss(groups[2:], EXACT).total]
    torch.testing.assert_close(method.loss(groups, EXACT).total, (halves[0] + halves[1]) / 2)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("detach", [True, False])
@pytest.mark.parametrize("in_ce", [True, False])
def test_the_reference_needs_a_graph_where_a_gradient_reaches_it(name: str, detach: bool, in_ce: bool) -> None:
    method = METHODS[name]
    settings = LossSettings(detach_reference=detach, reference_in_ce=in_ce)
    paraphrases = 2 if method.uses_paraphrases else 0
    groups = [group(paraphrases, 2, seed=seed, states=True) for seed in range(2)]
    for each in groups:
        assert each.prefix_states is not None
        each.prefix_states.requires_grad_()
    total = method.loss(groups, settings).total
    assert total.requires_grad
    total.backward()
    touched = False
    for each in groups:
        for tensor in (each.logits, each.prefix_states):
            if tensor is not None and tensor.grad is not None:
                touched |= bool(tensor.grad[0].abs().sum() > 0)
    # Where it says no, a graph would be wasted for certain; where it says yes without need, nothing is wrong but time.
    assert not touched or method.reference_needs_gradient(settings)
    if name == "pt+kl":
        assert touched == method.reference_needs_gradient(settings)


@pytest.mark.parametrize("name", METHODS)
def test_what_is_reported_holds_no_graph(name: str) -> None:
    groups = [group(2, 2, seed=seed, states=True) for seed in range(2)]
    terms = METHODS[name].loss(groups, EXACT)
    for term in (terms.ce, terms.kl, terms.other):
        assert term is None or not term.requires_grad


# -------------------------------------------------------------------------------------------------------- bad settings


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_is_from_0_to_1(weight: float) -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        LossSettings(lambda_=weight)


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan")])
def test_a_bound_is_above_zero(bound: float) -> None:
    with pytest.raises(UsageError, match=r"is not positive .*above 0"):
        LossSettings(push_bound=bound)


def test_mse_needs_an_encoder_with_the_soft_prompt_at_its_input() -> None:
    METHODS["mse"].check([pair()], is_encoder_decoder=True)
    with pytest.raises(ModelError, match=r"mse compares encoder states .* no encoder") as caught:
        METHODS["mse"].check([pair()], is_encoder_decoder=False)
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="expected --placement input, got layers"):
        METHODS["mse"].check([pair()], is_encoder_decoder=True, placement="layers")
    METHODS["pt+kl"].check([pair()], is_encoder_decoder=False, placement="layers")


@pytest.mark.parametrize("name", ["negation", "joint"])
def test_pairs_without_negations_are_named(name: str) -> None:
    pairs = [pair(negations=("Say not.",)), pair(source="pairs.jsonl:2")]
    METHODS[name].check(pairs[:1], is_encoder_decoder=False)
    with pytest.raises(UsageError, match=r"^pairs.jsonl:2: the method .* needs negated wordings"):
        METHODS[name].check(pairs, is_encoder_decoder=False)
    with pytest.raises(UsageError, match=r"^pair 1: "):
        METHODS[name].check([pair()], is_encoder_decoder=False)


def test_contrast_needs_references_of_different_meaning() -> None:
    method = METHODS["pt+contrastive"]
    method.check([pair("Say."), pair("Sing.")], is_encoder_decoder=False)
    with pytest.raises(UsageError, match="at least two different instructions"):
        method.check([pair("Say."), pair("say. ")], is_encoder_decoder=False)
    one = [pair(text, origins=(TextOrigin(text, "c/w", "Count {{ n }}."),)) for text in ("Count 1.", "Count 2.")]
    with pytest.raises(UsageError, match="at least two different instructions"):
        method.check(one, is_encoder_decoder=False)
