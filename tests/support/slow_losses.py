"""The loss of a network on a paraphrase set, from one unpadded row at a time and plain loops: a source for tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from phraseproof.alignment.pairs.tokens import SetTokens
from phraseproof.models.huggingface.trainable import ModelToTrain


def slow_logits(model: ModelToTrain, soft: torch.Tensor, context: Sequence[int], target: Sequence[int]) -> torch.Tensor:
    """The network's logits at the target tokens [target tokens, vocabulary], with a graph to the soft prompt."""
    network = model.network
    embed = network.get_input_embeddings()
    if model.is_decoder_only:
        embedded = torch.cat([soft, embed(torch.tensor([*context, *target[:-1]]))])[None]
        logits = network(inputs_embeds=embedded).logits[0, len(soft) + len(context) - 1 :]
    else:
        start = network.config.decoder_start_token_id
        embedded = torch.cat([soft, embed(torch.tensor(context))])[None]
        logits = network(inputs_embeds=embedded, decoder_input_ids=torch.tensor([(start, *target[:-1])])).logits[0]
    assert len(logits) == len(target)
    return logits


def slow_terms(model: ModelToTrain, soft: torch.Tensor, tokens: SetTokens) -> tuple[float, float]:
    """The cross-entropy of all wordings of a set, and the KL divergence of its paraphrases from the reference."""
    with torch.no_grad():
        reference, *paraphrases = (
            slow_logits(model, soft, context, tokens.target).double().log_softmax(-1).tolist()
            for context in (tokens.reference, *tokens.paraphrases)
        )
    size = len(tokens.target)
    ces = [-sum(row[j][tokens.target[j]] for j in range(size)) / size for row in (reference, *paraphrases)]
    kls = [
        sum(math.exp(p) * (p - q) for j in range(size) for p, q in zip(row[j], reference[j], strict=True))
        for row in paraphrases
    ]
    return sum(ces) / len(ces), sum(kls) / len(kls)
