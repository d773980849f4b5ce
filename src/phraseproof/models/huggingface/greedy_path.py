"""The scoring method `paper`: probabilities of an option's tokens along the model's own greedy decoding.

It follows the paper's released code at batch size one: decode greedily, take the softmax of each step's scores, and
multiply the probabilities of the option's tokens over the first m steps, where m is the shortest option's token count.
A decoding that ends early counts only the steps that it took.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from phraseproof.engine.network import Network
from phraseproof.engine.plan.request import Request

if TYPE_CHECKING:
    from transformers import GenerationConfig


def score_greedy_path(
    network: Network, inputs: Mapping[str, object], requests: Sequence[Request], *, pad_id: int
) -> list[list[float]]:
    """Sum the options' log-probabilities along greedy decoding, one list per request, parallel to its options.

    Args:
        network: a transformers model that generates.
        inputs: what its `generate` takes to continue from the requests' contexts, in their order.
        requests: the options' tokens, and how many steps count for each.
        pad_id: pads sequences that end early.

    Returns:
        The sums; minus infinity where a token has no probability.
    """
    # The longest request decides for all: one batch decodes together, and further steps of the others are not counted.
    settings = _greedy_settings(network, max(request.steps for request in requests), pad_id)
    run = network.generate(**inputs, generation_config=settings)
    ends = settings.eos_token_id if isinstance(settings.eos_token_id, list) else [settings.eos_token_id]
    # Counted from the end: a decoder-only model returns its prompt too, an encoder-decoder its start token.
    written: list[list[int]] = run.sequences[:, -len(run.scores) :].tolist()
    steps_run = [_steps_until(tokens, ends) for tokens in written]
    totals = [[0.0] * len(request.options) for request in requests]
    for step, scores in enumerate(run.scores):
        logprobs = torch.log_softmax(scores.float(), dim=-1)
        for index, request in enumerate(requests):
            # After its end token a sequence is only padded; the paper's code, with one prompt at a time, stops there.
            if step >= min(request.steps, steps_run[index]):
                continue
            values: list[float] = logprobs[index, [option[step] for option in request.options]].tolist()
            totals[index] = [total + value for total, value in zip(totals[index], values, strict=True)]
    return totals


def _greedy_settings(network: Network, steps: int, pad_id: int) -> GenerationConfig:
    """The model's own generation settings, made greedy and given a length."""
    settings = copy.deepcopy(network.generation_config)
    settings.update(
        do_sample=False,
        num_beams=1,
        max_new_tokens=steps,
        max_length=None,
        temperature=None,
        top_k=None,
        top_p=None,
        output_scores=True,
        return_dict_in_generate=True,
    )
    if settings.pad_token_id is None:
        settings.pad_token_id = pad_id
    return settings


def _steps_until(tokens: Sequence[int], ends: Sequence[int | None]) -> int:
    """How many steps a run took: up to and with its first end token."""
    for step, token in enumerate(tokens):
        if token in ends:
            return step + 1
    return len(tokens)
