"""The pocket's encoder-decoder: a stock T5 that starts out able to bind neighbours and to repeat a word it looks at.

Nothing is learned of a note before the encoder ties a value to its marker and a letter to its line, and before the
decoder can say a word that it found. Here both are there from the start, as two heads that look one position back and
one ahead, and as a last cross-attention that hands on what it attends to. Nothing holds either in place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

_BUCKETS = 32  # of relative positions: in the encoder 16 for those before, then 16 for those after
_ONE_BACK, _ONE_AHEAD = 1, _BUCKETS // 2 + 1
_SHARPNESS = 5.0  # of the looks at the neighbours: a weight of e^5 to 1 against any other single position
_EMBEDDING_RATE = 3.0


class EncoderDecoderSize(NamedTuple):
    """The shape of a model: width, layers of each half, heads, and the width of its feed-forward layers."""

    width: int
    encoder_layers: int
    decoder_layers: int
    heads: int
    feed_forward: int


def new_encoder_decoder(size: EncoderDecoderSize, vocabulary_size: int, *, padding: int, end: int) -> Any:
    """A `T5ForConditionalGeneration` with weights drawn from torch's global generator; the decoder starts on padding.

    Args:
        size: at least two heads, for the looks back and ahead; no more layers in the decoder than in the encoder,
            since transformers sizes the cache of its generation by the former.
        vocabulary_size: words, special ones and all.
        padding, end: the words that fill up a batch and that end an answer, as indices.
    """
    import torch
    from torch.nn import init
    from transformers import T5Config, T5ForConditionalGeneration

    head_width = size.width // size.heads
    config: Any = T5Config(
        vocab_size=vocabulary_size,
        d_model=size.width,
        d_kv=head_width,
        d_ff=size.feed_forward,
        num_layers=size.encoder_layers,
        num_decoder_layers=size.decoder_layers,
        num_heads=size.heads,
        relative_attention_num_buckets=_BUCKETS,
        relative_attention_max_distance=64,
        dropout_rate=0.0,
        feed_forward_proj="gated-silu",
        pad_token_id=padding,
        eos_token_id=end,
    )
    config.decoder_start_token_id = padding
    network: Any = T5ForConditionalGeneration(config)
    for name, weight in network.named_parameters():
        if name == "shared.weight":
            init.normal_(weight, std=0.3)
        elif "relative_attention_bias" in name:
            init.zeros_(weight)
        elif weight.dim() == 2:
            gain = 0.5 if name.endswith((".o.weight", ".wo.weight")) else 0.8
            if name.endswith(".q.weight"):
                gain /= math.sqrt(head_width)  # T5 does not divide scores by it
            init.normal_(weight, std=gain / math.sqrt(weight.shape[1]))
    first, last = network.encoder.block[0].layer[0].SelfAttention, network.decoder.block[-1].layer[1].EncDecAttention
    with torch.no_grad():
        first.q.weight[: 2 * head_width] *= 0.1
        # One table serves all layers of the encoder.
        first.relative_attention_bias.weight[_ONE_BACK, 0] = _SHARPNESS
        first.relative_attention_bias.weight[_ONE_AHEAD, 1] = _SHARPNESS
        last.v.weight.copy_(torch.eye(size.width))
        last.o.weight.copy_(torch.eye(size.width))
    return network


def parameter_groups(network: Any, *, weight_decay: float) -> list[dict[str, Any]]:
    """The network's weights for AdamW, in groups that learn at different rates.

    Adam moves every weight by about the learning rate, whatever its size. Query weights are smaller than others by the
    root of the head's width, since T5 does not divide scores by it, and learn at a rate as much smaller; embeddings are
    larger, and learn at three times the rate.

    Returns:
        Groups with `params`, `weight_decay` and `rate`, by which to multiply the learning rate at each step.
    """
    slow = 1 / math.sqrt(network.config.d_kv)
    embeddings: list[Any] = []
    queries: list[Any] = []
    matrices: list[Any] = []
    undecayed: list[Any] = []
    for name, weight in network.named_parameters():
        if name == "shared.weight":
            embeddings.append(weight)
        elif name.endswith(".q.weight"):
            queries.append(weight)
        elif weight.dim() < 2 or "relative_attention_bias" in name:
            undecayed.append(weight)
        else:
            matrices.append(weight)
    return [
        {"params": embeddings, "weight_decay": 0.0, "rate": _EMBEDDING_RATE},
        # AdamW decays by rate times decay: the same decay for all matrices.
        {"params": queries, "weight_decay": weight_decay / slow, "rate": slow},
        {"params": matrices, "weight_decay": weight_decay, "rate": 1.0},
        {"params": undecayed, "weight_decay": 0.0, "rate": 1.0},
    ]


def answer_loss(network: Any, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Any:
    """Mean cross-entropy, in nats, of the answers' words, each after those before it; the encoder reads the prompts.

    Args:
        network: as `new_encoder_decoder` makes it.
        prompts: words as indices, without an end.
        answers: words as indices, the end with them.
    """
    import torch

    padding = network.config.pad_token_id
    ids = torch.full((len(prompts), max(map(len, prompts))), padding)
    labels = torch.full((len(answers), max(map(len, answers))), -100)  # what the loss leaves out
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        ids[row, : len(prompt)] = torch.tensor(prompt)
        labels[row, : len(answer)] = torch.tensor(answer)
    return network(input_ids=ids, attention_mask=(ids != padding).long(), labels=labels, use_cache=False).loss
