"""The pocket's decoder: a stock Llama whose first layer starts with one head that looks one position back.

Copying needs a head that finds "the word after the last time I saw this", and such a head needs to know of every
position which word came before it. From a random start that ingredient takes longer to form than all the rest of the
training; given it, copying is learned in some hundreds of steps. It is only a start: nothing holds it in place.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

ROPE_THETA = 1000.0
_FAST_PAIRS = 5  # rotary pairs that turn fast enough to tell one position from the next
_SHARPNESS = 7.0  # of the look at the previous position


class Size(NamedTuple):
    """The shape of a model: width, layers, heads, and the width of its feed-forward layers."""

    width: int
    layers: int
    heads: int
    feed_forward: int


SIZES = {"tiny": Size(96, 3, 3, 192), "small": Size(128, 4, 4, 256), "medium": Size(160, 5, 5, 320)}
"""The family; the recipe was made with `small`."""


def new_network(size: Size, vocabulary_size: int, *, padding: int, end: int) -> Any:
    """A `LlamaForCausalLM` with weights drawn from torch's global generator, and the look back in its first layer."""
    from torch.nn import init
    from transformers import LlamaConfig, LlamaForCausalLM

    network: Any = LlamaForCausalLM(
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
    _look_back(network.model.layers[0].self_attn, size.width // size.heads)
    return network


def _look_back(attention: Any, head_width: int) -> None:
    """Make the first head attend to the previous position, whatever stands there.

    Queries and keys get constant parts that differ by the rotation of one position, so their product is greatest one
    position back. What is read there is a slice of the layer's input, written to the output in random directions.
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
