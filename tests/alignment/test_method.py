"""What a method needs: valid settings, a multiple of its groups, suitable pairs and models, a graph or none."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from phraseproof.alignment.method import LossSettings
from phraseproof.alignment.methods import METHODS
from phraseproof.alignment.pairs import TextOrigin
from phraseproof.errors import ModelError, UsageError
from support.loss_groups import group, options, pair

EXACT = LossSettings()


def test_rows_are_the_reference_then_paraphrases_then_negations() -> None:
    one = group(paraphrases=2, negations=3)
    assert len(one.logits) == 6
    assert list(one.paraphrase_rows) == [1, 2]
    assert list(one.negation_rows) == [3, 4, 5]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_method_with_two_references_takes_groups_in_twos(count: int) -> None:
    groups = [group(seed=seed) for seed in range(count)]
    with pytest.raises(ValueError, match=rf"ft\+contrastive needs a multiple of 2 groups, not {count}"):
        METHODS["ft+contrastive"].loss(groups, EXACT)
    if count:
        assert METHODS["ft"].loss(groups, EXACT).total.isfinite()


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_is_from_0_to_1(weight: float) -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        LossSettings(lambda_=weight)


@pytest.mark.parametrize("bound", [0.0, -1.0, float("nan")])
def test_a_bound_is_above_zero(bound: float) -> None:
    with pytest.raises(UsageError, match=r"is not positive .*above 0"):
        LossSettings(push_bound=bound)


@pytest.mark.parametrize("name", METHODS)
def test_a_loss_is_the_mean_over_its_groups(name: str) -> None:
    method = METHODS[name]
    negations = 2 if method.needs_negations else 0
    groups = [group(2, negations, seed=seed, states=True)._replace(options=options(3, seed=seed)) for seed in range(4)]
    halves = [method.loss(groups[:2], EXACT).total, method.loss(groups[2:], EXACT).total]
    torch.testing.assert_close(method.loss(groups, EXACT).total, (halves[0] + halves[1]) / 2)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("detach", [True, False])
@pytest.mark.parametrize("in_ce", [True, False])
def test_the_reference_needs_a_graph_where_a_gradient_reaches_it(name: str, detach: bool, in_ce: bool) -> None:
    method = METHODS[name]
    settings = LossSettings(detach_reference=detach, reference_in_ce=in_ce)
    paraphrases = 2 if method.uses_paraphrases else 0
    groups = [
        group(paraphrases, 2, seed=seed, states=True)._replace(options=options(1 + paraphrases, seed=seed))
        for seed in range(2)
    ]
    for each in groups:
        assert each.prefix_states is not None
        each.prefix_states.requires_grad_()
    total = method.loss(groups, settings).total
    assert total.requires_grad
    total.backward()
    touched = False
    for each in groups:
        assert each.options is not None
        for tensor in (each.logits, each.prefix_states, each.options.logits):
            if tensor is not None and tensor.grad is not None:
                touched |= bool(tensor.grad[0].abs().sum() > 0)
    # Where it says no, a graph would be wasted for certain; where it says yes without need, nothing is wrong but time.
    assert not touched or method.reference_needs_gradient(settings)
    if name == "pt+kl":
        assert touched == method.reference_needs_gradient(settings)


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


def test_a_loss_is_used_for_something_else_that_is_trained() -> None:
    own = METHODS["pt+kl"].training("lora")
    assert (own.name, own.trains, own.objective) == ("lora+kl", "lora", METHODS["pt+kl"].objective)
    assert METHODS["pt"].training("weights").name == "ft"
    assert METHODS["joint"].training("dora").name == "dora+joint"
    assert own.writes_adapter
    assert not METHODS["ft"].writes_adapter
    for method, trains in ((own, "dora"), (METHODS["mse"], "lora"), (METHODS["pt"], "prompt")):
        with pytest.raises(ValueError, match=f"{re.escape(method.name)} cannot train {trains}"):
            method.training(trains)  # type: ignore[arg-type]


def test_pairs_without_options_are_named() -> None:
    method = METHODS["pt+swarm"]
    method.check([pair(options=("y", "z"))], is_encoder_decoder=False)
    with pytest.raises(UsageError, match=r"^pair 2: the method pt\+swarm needs the options of every pair"):
        method.check([pair(options=("y", "z")), pair(options=("y",))], is_encoder_decoder=False)


def test_pairs_without_labels_need_a_method_that_compares_wordings() -> None:
    unlabelled = [pair(source="pairs.jsonl:1", labelled=False)]
    for name in ("pt+kl", "pt+js", "pt+contrastive"):
        assert METHODS[name].trains_without_labels
    METHODS["pt+kl"].check(unlabelled, is_encoder_decoder=False)
    for name in ("pt", "paft"):
        with pytest.raises(UsageError, match=r"^pairs.jsonl:1: the method .* needs labels"):
            METHODS[name].check(unlabelled, is_encoder_decoder=False)


@pytest.mark.parametrize(
    ("name", "settings", "problem"),
    [
        ("pt", {"kl_schedule": "linear"}, "--kl-schedule"),
        ("joint", {"kl_schedule": "balanced"}, "--kl-schedule"),
        ("pt+js", {"kl_direction": "forward"}, "--kl-direction"),
        ("negation", {"kl_direction": "forward"}, "--kl-direction"),
        ("pt", {"labels": "none"}, "--labels"),
        ("pt", {"guard": True}, "--guard"),
    ],
)
def test_settings_of_a_term_that_the_loss_has_not(name: str, settings: dict[str, Any], problem: str) -> None:
    METHODS["pt+kl"].check_choices(**settings)
    METHODS[name].check_choices()
    with pytest.raises(UsageError, match=f"^{problem}: "):
        METHODS[name].check_choices(**settings)


def test_without_labels_there_is_nothing_to_balance_with() -> None:
    with pytest.raises(UsageError, match="--kl-schedule: without labels there is no cross-entropy"):
        METHODS["pt+kl"].check_choices(labels="none", kl_schedule="balanced")
