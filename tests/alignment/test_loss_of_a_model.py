"""From a pair to its loss on a network: only the target's tokens count, however long the prompts beside it are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from phraseproof.alignment.loop.batch_order import Draw
from phraseproof.alignment.loop.batches import run_groups
from phraseproof.alignment.methods import METHODS, LossSettings
from phraseproof.alignment.pairs import ParaphraseSet
from phraseproof.alignment.pairs.tokens import SetTokens, tokenize_pairs
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.engine.training.forward import TargetForward
from phraseproof.models import load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

PAIRS = [
    ParaphraseSet(
        "Choose.", ("Which of the four is the correct option?", "Answer the question."), "the red king", "north of the"
    ),
    ParaphraseSet("Never.", ("Not always, but often before.", "Less."), "seven", "left"),
]


def slow_log_probabilities(model: HuggingFaceModel, soft: torch.Tensor, context: Any, target: Any) -> list[list[float]]:
    """For each target token, the log-probabilities of all the vocabulary, from one unpadded row through the network."""
    network = model.network
    embed = network.get_input_embeddings()
    with torch.no_grad():
        if model.is_decoder_only:
            embedded = torch.cat([soft, embed(torch.tensor(context + target[:-1]))])[None]
            logits = network(inputs_embeds=embedded).logits[0, len(soft) + len(context) - 1 :]
        else:
            start = network.config.decoder_start_token_id
            embedded = torch.cat([soft, embed(torch.tensor(context))])[None]
            logits = network(inputs_embeds=embedded, decoder_input_ids=torch.tensor([(start, *target[:-1])])).logits[0]
    assert len(logits) == len(target)
    return logits.double().log_softmax(-1).tolist()


def slow_loss(model: HuggingFaceModel, soft: torch.Tensor, tokens: SetTokens, weight: float) -> float:
    reference, *paraphrases = (
        slow_log_probabilities(model, soft, context, tokens.target)
        for context in (tokens.reference, *tokens.paraphrases)
    )
    size = len(tokens.target)
    ces = [-sum(row[j][tokens.target[j]] for j in range(size)) / size for row in (reference, *paraphrases)]
    kls = [
        sum(math.exp(p) * (p - q) for j in range(size) for p, q in zip(row[j], reference[j], strict=True))
        for row in paraphrases
    ]
    return (1 - weight) * sum(ces) / len(ces) + weight * sum(kls) / len(kls)


@pytest.mark.parametrize("folder", [tiny_models.tiny_t5, tiny_models.tiny_llama, tiny_models.tiny_gpt2])
def test_the_papers_loss_of_a_model(folder: Any) -> None:
    path: Path = folder()
    model = cast(HuggingFaceModel, load_model(str(path)))
    soft = SoftPrompt.create(
        model.network, n=3, placement="input", init="random-vocabulary", seed=1, tokenizer=model.tokenizer
    )
    assert soft.virtual is not None
    forward = TargetForward(model.network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=soft)
    tokens = tokenize_pairs(PAIRS, model, prompt_format="plain")
    assert len({len(each.target) for each in tokens}) == 2, "so that targets are padded"
    draws = [Draw(index, (0, 1), ()) for index in range(2)]
    groups = run_groups(forward, tokens, draws, need_prefix_states=False, reference_needs_gradient=True)
    expected = [slow_loss(model, soft.virtual.detach(), each, 0.8) for each in tokens]
    found = METHODS["pt+kl"].loss(groups, LossSettings())
    assert found.total.item() == pytest.approx(sum(expected) / 2, rel=2e-5)
    found.total.backward()
    gradients = [parameter.grad for parameter in soft.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() and gradient.any() for gradient in gradients)
