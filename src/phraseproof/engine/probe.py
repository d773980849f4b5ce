"""Whether a network can be packed: found by trying it, packed in one row and one by one, not by its name.

A network passes if both give the same scores. What only long prompts would show is read from its configuration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from phraseproof.engine.attention.causal import PackedPass
from phraseproof.engine.attention.implementation import quiet
from phraseproof.engine.cpu.half_products import rounding_of
from phraseproof.engine.length_thresholds import has_other_thresholds
from phraseproof.engine.network import Network, NetworkConfig
from phraseproof.engine.packed_causal_lm import LastLayer, PackedCausalLM, option_scores
from phraseproof.engine.packed_seq2seq_lm import PackedSeq2SeqLM
from phraseproof.engine.plan.packed_layout import GatherIndex
from phraseproof.engine.plan.request import Request
from phraseproof.engine.trial import REFUSALS, is_unmoved

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
        is_causal: whether all logits of scored tokens, over the whole vocabulary, were those of passes in which later
            tokens followed, so that no prediction depends on the tokens after it. Where rounding hides this, a separate
            check must show it.
    """

    last_layer: LastLayer | None
    is_causal: bool


@torch.inference_mode()
def probe_causal_lm(network: Network) -> PackingSupport | None:
    """How the network gives the same scores in one row as one by one, or `None` where it does not.

    Two passes over all prompts in a row: one in full; and one that continues what the first one left, in which the last
    layer computes only what is scored.
    """
    config = network.config.get_text_config()
    kinds: Sequence[str] = getattr(config, "layer_types", None) or ()
    if not set(kinds) <= _LAYERS or has_other_thresholds(config):
        return None
    requests = _requests()
    decoder = PackedCausalLM(network)
    try:
        with quiet():
            plain = _one_by_one(network, requests)
        step = decoder.pass_over(requests)
        logits = decoder.compute(step)
    except REFUSALS:
        return None
    if not _windows_match(config, kinds, step.windows) or step.attention is None:
        return None
    expected, rounding = _scores_of(plain, requests), rounding_of(network)
    if not _same_scores(option_scores(step, logits, requests), expected, rounding):
        return None
    in_plain = torch.stack([plain[pick.part][pick.option][place] for pick, place in _places(step)])
    is_causal = is_unmoved(logits[[pick.rank for pick in step.row.picks]].float(), in_plain, rounding)
    for last_layer in (LastLayer(network, step.attention), None):
        try:
            scores = decoder.with_last_layer(last_layer).score(requests)
        except REFUSALS:
            scores = None
        if scores is not None and _same_scores(scores, expected, rounding):
            return PackingSupport(last_layer, is_causal)
        if last_layer is not None:
            last_layer.remove()
    return None


@torch.inference_mode()
def probe_seq2seq_lm(network: Network) -> PackedSeq2SeqLM | None:
    """The network packed, or `None` where it does not give the same scores in one row as one by one."""
    requests = _requests()
    try:
        packed = PackedSeq2SeqLM(network)
        ways = [packed.score(requests, absorbs=absorbs) for absorbs in (True, False)]
    except REFUSALS:
        return None
    expected = _scores_of(_one_by_one(network, requests), requests)
    return packed if all(_same_scores(scores, expected, rounding_of(network)) for scores in ways) else None


def _requests() -> list[Request]:
    """Two prompts with a common beginning, of which the second leaves it for the next pass."""
    return [
        Request(np.asarray(context, dtype=np.int32), options, shared=_SHARED * index, kept=_SHARED * index)
        for index, (context, options) in enumerate(zip(_CONTEXTS, _OPTIONS, strict=True))
    ]


def _one_by_one(network: Network, requests: Sequence[Request]) -> list[list[torch.Tensor]]:
    """Logits of each option's tokens by plain passes, [tokens, vocabulary] in float32, by request and option.

    What a shorter option reads is the beginning of what a longer one reads. A network that sees later tokens gives
    other logits in a row anyway: there, no token sees a later one.
    """
    found: list[list[torch.Tensor]] = []
    for request in requests:
        context = request.context.tolist()
        passes: list[tuple[tuple[int, ...], torch.Tensor]] = []
        by_option: dict[tuple[int, ...], torch.Tensor] = {}
        for option in sorted(request.options, key=len, reverse=True):
            read = option[:-1]
            logits = next((logits for tokens, logits in passes if tokens[: len(read)] == read), None)
            if logits is None:
                logits = _plain_logits(network, context, option)
                passes.append((read, logits))
            by_option[option] = logits[: len(option)]
        found.append([by_option[option] for option in request.options])
    return found


def _plain_logits(network: Network, context: Sequence[int], option: Sequence[int]) -> torch.Tensor:
    """[option tokens, vocabulary], in float32."""

    def ids(tokens: Sequence[int]) -> torch.Tensor:
        return torch.tensor([list(tokens)], device=network.device)

    if network.config.is_encoder_decoder:
        return network(input_ids=ids(context), labels=ids(option)).logits[0].float()
    read = [*context, *option[:-1]]
    return network(input_ids=ids(read), use_cache=False).logits[0, len(context) - 1 :].float()


def _scores_of(logits: Sequence[Sequence[torch.Tensor]], requests: Sequence[Request]) -> list[list[float]]:
    return [
        [
            float(torch.log_softmax(of_option, dim=-1)[range(len(option)), option].sum())
            for of_option, option in zip(of_request, request.options, strict=True)
        ]
        for of_request, request in zip(logits, requests, strict=True)
    ]


def _same_scores(found: list[list[float]], expected: list[list[float]], rounding: torch.dtype) -> bool:
    allowed = _TOLERANCE.get(rounding, _TOLERANCE_FLOAT32)
    return all(np.allclose(one, other, rtol=1e-5, atol=allowed) for one, other in zip(found, expected, strict=True))


def _places(step: PackedPass) -> Iterator[tuple[GatherIndex, int]]:
    """Each token that is scored, with its place in its option."""
    counts: Counter[tuple[int, int]] = Counter()
    for pick in step.row.picks:
        yield pick, counts[pick.part, pick.option]
        counts[pick.part, pick.option] += 1


def _windows_match(config: NetworkConfig, kinds: Sequence[str], reported: dict[int, int | None]) -> bool:
    """Whether every layer that has a window passes it to its attention."""
    window: int | None = getattr(config, "sliding_window", None)
    if window is None or getattr(config, "use_sliding_window", True) is False:
        return True
    slides = [kind == "sliding_attention" for kind in kinds] or [True] * len(reported)
    return [reported[layer] == window for layer in sorted(reported)] == slides
