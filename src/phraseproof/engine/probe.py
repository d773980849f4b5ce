"""Whether a network can be packed: found by trying it, packed in one row and one by one, not by its name.

A network passes if both give the same scores. What only long prompts would show is read from its configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from phraseproof.engine.attention.causal import PackedPass
from phraseproof.engine.attention.implementation import quiet
from phraseproof.engine.cpu.half_products import rounding_of
from phraseproof.engine.length_thresholds import has_other_thresholds
from phraseproof.engine.network import Network, NetworkConfig
from phraseproof.engine.packed_causal_lm import LastLayer, PackedCausalLM
from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM
from phraseproof.engine.plan.packed_layout import PackedPrompt, pack_prompts
from phraseproof.engine.plan.prefix_tree import token_trie
from phraseproof.engine.plan.request import Request
from phraseproof.engine.trial import REFUSALS

_LAYERS = {"full_attention", "sliding_attention"}

_SHARED = 5
_CONTEXTS = ((5, 9, 14, 3, 8, 21, 2, 17, 30, 4, 11), (5, 9, 14, 3, 8, 1))
_OPTIONS = (((7, 12, 6), (7, 19), (25,)), ((16, 22),))

_TOLERANCE = {torch.float16: 5e-2, torch.bfloat16: 4e-1}
_TOLERANCE_FLOAT32 = 1e-3
"""Nats by which the two may differ through rounding."""


class PackingSupport(NamedTuple):
    """How a network can be packed.

    Attributes:
        last_layer: set where the last layer can leave out what is not scored.
    """

    last_layer: LastLayer | None


@torch.inference_mode()
def probe_causal_lm(network: Network) -> PackingSupport | None:
    """How the network gives the same scores in one row as one by one, or `None` where it does not."""
    config = network.config.get_text_config()
    kinds: Sequence[str] = getattr(config, "layer_types", None) or ()
    if not set(kinds) <= _LAYERS or has_other_thresholds(config):
        return None
    try:
        with quiet():
            expected = _one_by_one(network)
        step = _pass()
        PackedCausalLM(network).run(step)
    except REFUSALS:
        return None
    if not _windows_match(config, kinds, step.windows) or step.attention is None:
        return None
    for last_layer in (LastLayer(network, step.attention), None):
        try:
            scores = _in_a_row(network, last_layer)
        except REFUSALS:
            scores = None
        allowed = _TOLERANCE.get(rounding_of(network), _TOLERANCE_FLOAT32)
        if scores is not None and np.allclose(scores, expected, rtol=1e-5, atol=allowed):
            return PackingSupport(last_layer)
        if last_layer is not None:
            last_layer.remove()
    return None


@torch.inference_mode()
def probe_seq2seq_lm(network: Network) -> PackedSeq2SeqLM | None:
    """The network packed, or `None` where it does not give the same scores in one row as one by one."""
    requests = [
        Request(np.asarray(context, dtype=np.int32), options)
        for context, options in zip(_CONTEXTS, _OPTIONS, strict=True)
    ]
    try:
        packed = PackedSeq2SeqLM(network)
        ways = [packed.score(requests, absorbs=absorbs) for absorbs in (True, False)]
    except REFUSALS:
        return None
    expected: list[float] = []
    for context, options in zip(_CONTEXTS, _OPTIONS, strict=True):
        for option in options:
            ids, labels = (torch.tensor([tokens], device=network.device) for tokens in (context, option))
            logprobs = torch.log_softmax(network(input_ids=ids, labels=labels).logits[0].float(), dim=-1)
            expected.append(float(logprobs[range(len(option)), option].sum()))
    allowed = _TOLERANCE.get(rounding_of(network), _TOLERANCE_FLOAT32)
    found = [[score for of_request in scores for score in of_request] for scores in ways]
    return packed if all(np.allclose(scores, expected, rtol=1e-5, atol=allowed) for scores in found) else None


def _pass() -> PackedPass:
    parts = [
        PackedPrompt(np.asarray(context, dtype=np.int32), _SHARED * index, token_trie(options))
        for index, (context, options) in enumerate(zip(_CONTEXTS, _OPTIONS, strict=True))
    ]
    return PackedPass(pack_prompts(parts, 0))


def _in_a_row(network: Network, last_layer: LastLayer | None) -> list[float]:
    """All in one row, then one after another over what the one before it left."""
    requests = [
        Request(np.asarray(context, dtype=np.int32), options, shared=_SHARED * index, kept=_SHARED * (1 - index))
        for index, (context, options) in enumerate(zip(_CONTEXTS, _OPTIONS, strict=True))
    ]
    decoder = PackedCausalLM(network, last_layer=last_layer)
    scores = [*decoder.score(requests), *decoder.score(requests[:1]), *decoder.score(requests[1:])]
    return [score for of_request in scores for score in of_request]


def _one_by_one(network: Network) -> list[float]:
    """The scores of plain passes. What a shorter option reads is the beginning of what a longer one reads.

    A network that sees later tokens gives other scores in a row anyway: there, no token sees a later one.
    """
    scores: list[float] = []
    for context, options in zip(_CONTEXTS, _OPTIONS, strict=True):
        passes: list[tuple[tuple[int, ...], torch.Tensor]] = []
        by_option: dict[tuple[int, ...], float] = {}
        for option in sorted(options, key=len, reverse=True):
            read = option[:-1]
            logprobs = next((found for tokens, found in passes if tokens[: len(read)] == read), None)
            if logprobs is None:
                ids = torch.tensor([context + read], device=network.device)
                logits = network(input_ids=ids, use_cache=False).logits[0, len(context) - 1 :].float()
                logprobs = torch.log_softmax(logits, dim=-1)
                passes.append((read, logprobs))
            by_option[option] = float(logprobs[range(len(option)), option].sum())
        scores += [by_option[option] for option in options]
    return scores * 2


def _windows_match(config: NetworkConfig, kinds: Sequence[str], reported: dict[int, int | None]) -> bool:
    """Whether every layer that has a window passes it to its attention."""
    window: int | None = getattr(config, "sliding_window", None)
    if window is None or getattr(config, "use_sliding_window", True) is False:
        return True
    slides = [kind == "sliding_attention" for kind in kinds] or [True] * len(reported)
    return [reported[layer] == window for layer in sorted(reported)] == slides
