"""The decoder of the pocket models: an ordinary Llama, in which one head attends to the previous position at first.

To copy, a model needs a head that finds the word after an earlier occurrence of the current word (an induction head,
arXiv 2209.11895). Such a head needs to know which word precedes each position. From random weights, a head that
provides this takes longer to form than the rest of the training takes. With it, the model learns to copy in some
hundred steps. The weights of this head are trained like all others.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, T5ForConditionalGeneration
    from transformers.models.llama.modeling_llama import LlamaAttention

PocketNetwork: TypeAlias = "LlamaForCausalLM | T5ForConditionalGeneration"
"""The network of a pocket model."""

ROPE_THETA = 1000.0
_FAST_PAIRS = 5  # rotary pairs with an angle per position that is large enough to separate neighbours
_SHARPNESS = 7.0  # the constant in queries and keys; higher means more attention to the previous position


class DecoderSize(NamedTuple):
    """The size of a decoder: width, layers, heads, and the width of the feed-forward layers."""

    width: int
    layers: int
    heads: int
    feed_forward: int


SIZES = {
    "tiny": DecoderSize(96, 3, 3, 192),
    "small": DecoderSize(128, 4, 4, 256),
    "medium": DecoderSize(160, 5, 5, 320),
}
"""The shipped decoders. The recipe was developed with `small`."""


def new_network(size: DecoderSize, vocabulary_size: int, *, padding: int, end: int) -> LlamaForCausalLM:
    """Create a `LlamaForCausalLM` with weights from torch's global random generator.

    The first head of the first layer attends to the previous position.

    Args:
        size: its width divided by its heads must be at least 10, for the rotary pairs that are set.
        vocabulary_size: the number of words, special tokens included.
        padding, end: the indices of the padding token and of the token that ends an answer.
    """
    from torch.nn import init
    from transformers import LlamaConfig, LlamaForCausalLM

    network = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary_size,
            hidden_size=size.width,
            intermediate_size=size.feed_forward,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=size.heads,
            max_position_embeddings=256,
            rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
            attention_bias=True,
            tie_word_embeddings=True,
            pad_token_id=padding,
            bos_token_id=None,
            eos_token_id=end,
        )
    )
    for name, weight in network.named_parameters():
        if "embed_tokens" in name:
            init.normal_(weight, std=0.05)
        elif weight.dim() == 2:
            gain = 0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 0.8
            init.normal_(weight, std=gain / math.sqrt(weight.shape[1]))
    attention = cast("LlamaAttention", network.model.layers[0].self_attn)
    _attend_to_previous(attention, size.width // size.heads)
    return network


def _attend_to_previous(attention: LlamaAttention, head_width: int) -> None:
    """Make the first head attend to the previous position, whatever the words are.

    The biases of queries and keys are constant vectors, and the key's is the query's rotated by one position. After the
    rotary embedding, their product is largest for the previous position. The head's value is the first part of the
    layer's input. It is written to the output in random directions.
    """
    import torch

    pairs = slice(0, _FAST_PAIRS)
    twins = slice(head_width // 2, head_width // 2 + _FAST_PAIRS)
    turns = ROPE_THETA ** (-2.0 * torch.arange(_FAST_PAIRS) / head_width)
    with torch.no_grad():
        attention.q_proj.weight[:head_width] *= 0.1
        attention.k_proj.weight[:head_width] *= 0.1
        query, key = torch.zeros(head_width), torch.zeros(head_width)
        query[pairs] = _SHARPNESS
        key[pairs], key[twins] = _SHARPNESS * turns.cos(), _SHARPNESS * turns.sin()
        attention.q_proj.bias[:head_width] = query
        attention.k_proj.bias[:head_width] = key
        attention.v_proj.weight[:head_width] = 0.0
        attention.v_proj.weight[:head_width, :head_width] = torch.eye(head_width)
        attention.o_proj.weight[:, :head_width] = torch.randn(attention.o_proj.weight.shape[0], head_width) * (
            1.5 / math.sqrt(head_width)
        )
