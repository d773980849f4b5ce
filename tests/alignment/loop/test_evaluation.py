"""An evaluation on held-out pairs: losses and accuracies from plain loops and transformers' own greedy decoding."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from phraseproof.alignment.loop.evaluation import evaluate_held_out
from phraseproof.alignment.loop.passes import Passes
from phraseproof.alignment.loop.preparation import Preparation, prepare
from phraseproof.alignment.methods import LossSettings
from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.models import ModelOptions
from phraseproof.training.trainable_model import TrainableModel
from support import tiny_models
from support.slow_losses import slow_logits, slow_terms
from support.tiny_pairs import shared_wordings

SETTINGS = AlignmentSettings(num_tokens=3, held_out_fraction=0.4, paraphrases_per_batch=9)


def prepared(folder: Path, pairs: list[ParaphraseSet]) -> Preparation:
    return prepare(str(folder), pairs, SETTINGS, ModelOptions(device="cpu"))


def passes_over(found: Preparation) -> tuple[Passes, torch.Tensor]:
    network = found.model.network
    soft = SoftPrompt.create(
        network, n=3, placement="input", init="random-vocabulary", seed=1, tokenizer=found.model.tokenizer
    )
    model = TrainableModel(network, soft, joined=found.model.is_decoder_only, pad_id=found.model.pad_id)
    vocabulary = network.get_input_embeddings().weight.shape[0]
    passes = Passes(model, Accelerator(cpu=True), found.method, LossSettings(), vocabulary_size=vocabulary)
    assert soft.virtual is not None
    return passes, soft.virtual.detach()


@pytest.mark.parametrize("folder", [tiny_models.tiny_t5, tiny_models.tiny_llama])
def test_losses_and_accuracies(folder: Callable[[], Path]) -> None:
    found = prepared(folder(), shared_wordings(10))
    passes, soft = passes_over(found)
    # The model's own greedy answers become some of the targets, so that accuracies are not all zero.
    tokens = list(found.held_out.tokens)
    with torch.no_grad():
        for index in (0, 1):
            logits = slow_logits(found.model, soft, tokens[index].paraphrases[0], tokens[index].target)
            written = tuple(logits.argmax(-1).tolist())
            tokens[index] = tokens[index]._replace(target=written[:1])
    side = dataclasses.replace(found.held_out, tokens=tuple(tokens))
    evaluated = evaluate_held_out(passes, side, found.method, found.settings)
    assert evaluated is not None
    assert evaluated.pairs == len(tokens) == 4

    terms = [slow_terms(found.model, soft, each) for each in tokens]
    ce, kl = (sum(term[place] for term in terms) / len(terms) for place in (0, 1))
    assert evaluated.ce == pytest.approx(ce, rel=2e-5)
    assert evaluated.kl == pytest.approx(kl, rel=2e-4)
    assert evaluated.loss == pytest.approx(0.2 * ce + 0.8 * kl, rel=2e-5)

    hits: list[bool] = []
    reference_hits: list[bool] = []
    with torch.no_grad():
        for each in tokens:
            for place, context in enumerate((each.reference, *each.paraphrases)):
                written = slow_logits(found.model, soft, context, each.target).argmax(-1).tolist()
                (hits if place else reference_hits).append(written == list(each.target))
    assert evaluated.accuracy == sum(hits) / len(hits)
    assert evaluated.reference_accuracy == sum(reference_hits) / len(reference_hits)
    assert 0 < evaluated.accuracy < 1


def test_too_few_held_out_pairs_are_not_evaluated() -> None:
    found = prepared(tiny_models.tiny_t5(), shared_wordings(1))
    assert found.held_out.pairs == ()
    passes, _ = passes_over(found)
    assert evaluate_held_out(passes, found.held_out, found.method, found.settings) is None


def test_an_evaluation_leaves_no_gradients() -> None:
    found = prepared(tiny_models.tiny_llama(), shared_wordings(10))
    passes, _ = passes_over(found)
    first = evaluate_held_out(passes, found.held_out, found.method, found.settings)
    assert evaluate_held_out(passes, found.held_out, found.method, found.settings) == first
    assert all(parameter.grad is None for parameter in found.model.network.parameters())
