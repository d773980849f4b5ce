"""Three ways to score without packing, against plain passes: batches must change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import Request
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.causal_unpacked import UnpackedCausalLM
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models
from support.architecture_audit import plain_logprob

REQUESTS = [
    Request(np.asarray(context, dtype=np.int32), options)
    for context, options in (
        ((1, 5, 9, 30), ((7, 12, 6), (7,), (8, 9))),
        ((1, 5, 9, 30, 44, 21, 8, 17), ((11,), (12,))),
        ((1, 40), ((7, 12, 6, 19, 22), (33,))),
    )
]


@pytest.mark.parametrize("name", ["with_cache", "in_full", "alone"])
@pytest.mark.parametrize("limit", [BatchLimit(), BatchLimit(items=2)])
def test_every_way_gives_the_scores_of_plain_passes(name: str, limit: BatchLimit) -> None:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    unpacked = UnpackedCausalLM(model.weights, 3, lambda context, scored: context + scored)
    with torch.inference_mode():
        found = getattr(unpacked, name)(REQUESTS, limit)
    expected = [
        [plain_logprob(model.network, request.context.tolist(), option) for option in request.options]
        for request in REQUESTS
    ]
    assert [score for scores in found for score in scores] == pytest.approx(
        [score for scores in expected for score in scores], abs=1e-4
    )


def test_padding_does_not_run_past_a_table_of_positions() -> None:
    """Prompts that fill GPT-2's context, with options of several tokens, in one batch."""
    model = load_model(str(tiny_models.tiny_gpt2()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    unpacked = UnpackedCausalLM(model.weights, 0, lambda context, scored: context + scored)
    full = np.arange(256, dtype=np.int32) + 5
    requests = [Request(full[:252], ((7, 12, 6, 9, 8),)), Request(full[:255], ((7, 12),))]
    with torch.inference_mode():
        found = unpacked.with_cache(requests, BatchLimit())
    for request, scores in zip(requests, found, strict=True):
        expected = plain_logprob(model.network, request.context.tolist(), request.options[0])
        assert scores[0] == pytest.approx(expected, abs=1e-4)
