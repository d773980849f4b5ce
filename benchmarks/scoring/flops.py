"""Floating-point operations that scoring cannot avoid, and the speed of this core's matrix products.

Counted: linear layers of every token that must be read, the vocabulary for tokens that predict, and attention over what
a token may see. Not counted: norms, activations, rotations, softmax, padding, and anything done twice.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from phraseproof.core import Prompt
from phraseproof.engine.plan.prefix_tree import order_by_prefix, token_trie


def unavoidable(model: Any, prompts: Sequence[Prompt]) -> float:
    """Operations (a multiplication and an addition are two) for these prompts and their options."""
    encoded = list({tokens.context: tokens for tokens in model.encode(prompts)}.values())
    trees = [token_trie(tokens.options) for tokens in encoded]
    nodes = [len(tree.tokens) for tree in trees]
    lengths = [len(tokens.context) for tokens in encoded]
    config = model.network.config
    if config.is_encoder_decoder:
        return _encoder_decoder(config, lengths, nodes)
    order = order_by_prefix([tokens.context for tokens in encoded])
    shared = dict(zip(order.indices, order.shared, strict=True))
    return _decoder_only(config, lengths, nodes, [shared[index] for index in range(len(lengths))])


def _decoder_only(config: Any, lengths: list[int], nodes: list[int], shared: list[int]) -> float:
    width, heads = config.hidden_size, config.num_attention_heads * config.head_dim
    keys = 2 * config.num_key_value_heads * config.head_dim
    before = width * keys
    after = 2 * width * heads + 3 * width * config.intermediate_size
    read = sum(length - done + count for length, done, count in zip(lengths, shared, nodes, strict=True))
    scored = len(nodes) + sum(nodes)
    layers = config.num_hidden_layers
    linear = read * layers * (before + after) - (read - scored) * after
    pairs = sum(
        (length * length - done * done) / 2 + count * length
        for length, done, count in zip(lengths, shared, nodes, strict=True)
    )
    return 2 * (linear + scored * width * config.vocab_size + 2 * pairs * heads * (layers - 1))


def _encoder_decoder(config: Any, lengths: list[int], nodes: list[int]) -> float:
    width, inner = config.d_model, config.num_heads * config.d_kv
    feed = (3 if config.is_gated_act else 2) * width * config.d_ff
    tokens, rows = sum(lengths), len(nodes) + sum(nodes)
    pairs = sum(length * (1 + count) for length, count in zip(lengths, nodes, strict=True))
    encoder = config.num_layers * (
        tokens * (4 * width * inner + feed) + 2 * inner * sum(length * length for length in lengths)
    )
    projected = 2 * tokens * width * inner + 2 * pairs * inner
    absorbed = 2 * rows * width * inner + 2 * pairs * config.num_heads * width
    decoder = config.num_decoder_layers * (rows * (6 * width * inner + feed) + min(projected, absorbed))
    return 2 * (encoder + decoder + rows * width * config.vocab_size)


def peak_flops(seconds: float = 0.4) -> tuple[float, float]:
    """Operations per CPU second of torch's plain matrix products and of packed ones, at the benchmark's shapes."""
    import torch
    from torch.nn import functional

    from phraseproof.engine.cpu.packed_linear import PackedLinear

    x, weight = torch.randn(1024, 640), torch.randn(1728, 640)
    packed = PackedLinear(weight)
    speeds: list[float] = []
    with torch.inference_mode():
        for compute in (lambda: functional.linear(x, weight), lambda: packed(x)):
            compute()
            before, count = time.process_time(), 0
            while time.process_time() - before < seconds:
                compute()
                count += 1
            speeds.append(count * 2 * 1024 * 640 * 1728 / (time.process_time() - before))
    return speeds[0], speeds[1]
