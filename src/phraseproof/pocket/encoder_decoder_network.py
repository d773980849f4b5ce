"""The encoder-decoder of the pocket models: an ordinary T5 with an initialisation that can copy.

To answer from a note, the encoder must connect a value with its marker and a letter with its line, and the decoder must
repeat a word that it attends to. Both take long to learn from random weights. So the initialisation provides them: two
encoder heads attend to the previous and the next position, and the last cross-attention passes on what it attends to.
These weights are trained like all others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypedDict, cast

if TYPE_CHECKING:
    import torch
    from torch.nn import ModuleList, Parameter
    from transformers import T5ForConditionalGeneration
    from transformers.models.t5.modeling_t5 import T5LayerCrossAttention, T5LayerSelfAttention

_BUCKETS = 32  # of relative positions; in the encoder, 16 for earlier positions, then 16 for later ones
_ONE_BACK, _ONE_AHEAD = 1, _BUCKETS // 2 + 1
_SHARPNESS = 5.0  # the bias for the neighbour: its attention weight is e^5 times that of another position
_EMBEDDING_RATE = 3.0  # times the learning rate of matrices


class EncoderDecoderSize(NamedTuple):
    """The size of an encoder-decoder: width, layers of encoder and decoder, heads, width of the feed-forward layers."""

    width: int
    encoder_layers: int
    decoder_layers: int
    heads: int
    feed_forward: int


class ParameterGroup(TypedDict):
    """Weights with the same settings of AdamW.

    Attributes:
        params: the weights.
        weight_decay: the decay of AdamW.
        rate: a factor for the learning rate of each step.
    """

    params: list[Parameter]
    weight_decay: float
    rate: float


def new_encoder_decoder(
    size: EncoderDecoderSize, vocabulary_size: int, *, padding: int, end: int
) -> T5ForConditionalGeneration:
    """Create a `T5ForConditionalGeneration` with weights from torch's global random generator.

    The decoder starts with the padding token, as usual for T5.

    Args:
        size: at least two heads, for the previous and the next position. The decoder must not have more layers than the
            encoder, because transformers sizes the cache for generation by the encoder's layers.
        vocabulary_size: the number of words, special tokens included.
        padding, end: the indices of the padding token and of the token that ends an answer.
    """
    import torch
    from torch.nn import init
    from transformers import T5Config, T5ForConditionalGeneration

    head_width = size.width // size.heads
    config = T5Config(
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
    network = T5ForConditionalGeneration(config)
    for name, weight in network.named_parameters():
        if name == "shared.weight":
            init.normal_(weight, std=0.3)
        elif "relative_attention_bias" in name:
            init.zeros_(weight)
        elif weight.dim() == 2:
            gain = 0.5 if name.endswith((".o.weight", ".wo.weight")) else 0.8
            if name.endswith(".q.weight"):
                gain /= math.sqrt(head_width)  # T5 does not divide attention scores by it
            init.normal_(weight, std=gain / math.sqrt(weight.shape[1]))
    first_block, last_block = network.encoder.block[0], network.decoder.block[-1]
    first = cast("T5LayerSelfAttention", cast("ModuleList", first_block.layer)[0]).SelfAttention
    last = cast("T5LayerCrossAttention", cast("ModuleList", last_block.layer)[1]).EncDecAttention
    with torch.no_grad():
        # Small queries, so that the position decides what these two heads attend to, not the words.
        first.q.weight[: 2 * head_width] *= 0.1
        # T5 has one table of relative positions for all layers of the encoder.
        first.relative_attention_bias.weight[_ONE_BACK, 0] = _SHARPNESS
        first.relative_attention_bias.weight[_ONE_AHEAD, 1] = _SHARPNESS
        last.v.weight.copy_(torch.eye(size.width))
        last.o.weight.copy_(torch.eye(size.width))
    return network


def parameter_groups(network: T5ForConditionalGeneration, *, weight_decay: float) -> list[ParameterGroup]:
    """The network's weights for AdamW, in groups that learn at different rates.

    Adam changes every weight by about the learning rate, whatever the weight's size, so the rate follows the size.
    Query weights are smaller than others by the square root of the head width, because T5 does not divide attention
    scores by it, and their rate is smaller by the same factor. Embeddings are larger, and their rate is three times as
    high.

    Returns:
        Groups that together have all weights.
    """
    slow = 1 / math.sqrt(network.config.d_kv)
    embeddings: list[Parameter] = []
    queries: list[Parameter] = []
    matrices: list[Parameter] = []
    undecayed: list[Parameter] = []
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
        # AdamW multiplies the decay by the rate. The division makes the decay the same for all matrices.
        {"params": queries, "weight_decay": weight_decay / slow, "rate": slow},
        {"params": matrices, "weight_decay": weight_decay, "rate": 1.0},
        {"params": undecayed, "weight_decay": 0.0, "rate": 1.0},
    ]


def answer_loss(
    network: T5ForConditionalGeneration, prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
) -> torch.Tensor:
    """Mean cross-entropy of the answers' words given the prompts, in nats per word. A scalar tensor.

    Args:
        network: a model from `new_encoder_decoder`.
        prompts: the encoder's input, as indices of words, without the end token.
        answers: the decoder's targets, as indices of words, with the end token.
    """
    import torch

    padding = network.config.pad_token_id
    assert padding is not None, "new networks have a padding token"
    ids = torch.full((len(prompts), max(map(len, prompts))), padding)
    labels = torch.full((len(answers), max(map(len, answers))), -100)  # the target that the loss ignores
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        ids[row, : len(prompt)] = torch.tensor(prompt)
        labels[row, : len(answer)] = torch.tensor(answer)
    return network(input_ids=ids, attention_mask=(ids != padding).long(), labels=labels, use_cache=False).loss
