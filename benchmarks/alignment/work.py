"""The least work of aligning a soft prompt, and the speed of this core's products: the bound of any loop.

Only products count: of the linear layers and of attention, forward and backward to the inputs, no padding, the
vocabulary at target positions. Common prefixes of a step's rows in a decoder-only model, the soft prompt first, are
computed once, its last layer beyond keys and values at target positions alone; an encoder-decoder's decoder reads the
encoder's states without projecting them. Nothing goes back to the words' embeddings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Example = tuple[list[tuple[int, ...]], tuple[int, ...]]
"""The tokens of an example in its wordings, and of its answer."""

Step = Sequence[Example]


def least_flops(folder: Path, work: Sequence[Step], virtual: int) -> float:
    """Floating point operations of one pass forward and back over each step; a multiply-add is two."""
    from transformers import AutoConfig

    config: Any = AutoConfig.from_pretrained(folder)
    count = _encoder_decoder if config.is_encoder_decoder else _decoder_only
    return 2.0 * sum(count(config, step, virtual) for step in work)


def _decoder_only(config: Any, step: Step, virtual: int) -> int:
    width, inner = config.hidden_size, config.num_attention_heads * config.head_dim
    keys = width * config.num_key_value_heads * config.head_dim
    rest = 2 * width * inner + 3 * width * config.intermediate_size
    # Every token with all before it: common prefixes count once.
    places = {
        (*context, *target)[:end]
        for contexts, target in step
        for context in contexts
        for end in range(1, len(context) + len(target))
    }
    words = len(places)
    tokens, scored = virtual + words, sum(len(contexts) * len(target) for contexts, target in step)
    layers = config.num_hidden_layers
    linear = (layers - 1) * tokens * (2 * keys + rest) + tokens * 2 * keys
    linear += scored * (rest + config.vocab_size * width)
    pairs = sum(virtual + len(place) for place in places) + virtual**2 / 2
    first_layer_back = words * (2 * keys + width * inner)
    return int(2 * linear + 3 * (layers - 1) * pairs * 2 * inner - first_layer_back)


def _encoder_decoder(config: Any, step: Step, virtual: int) -> int:
    return sum(_of_example(config, contexts, target, virtual) for contexts, target in step)


def _of_example(config: Any, contexts: list[tuple[int, ...]], target: tuple[int, ...], virtual: int) -> int:
    width, inner, feed = config.d_model, config.num_heads * config.d_kv, 3 * config.d_model * config.d_ff
    sizes = [virtual + len(context) for context in contexts]
    tokens, asking = sum(sizes), len(contexts) * len(target)
    linear = config.num_layers * tokens * (4 * width * inner + feed)
    linear += config.num_decoder_layers * asking * (8 * width * inner + feed) + asking * config.vocab_size * width
    attention = config.num_layers * sum(size**2 for size in sizes) * 2 * inner
    attention += config.num_decoder_layers * len(target) * tokens * 2 * width * config.num_heads
    first_layer_back = (tokens - virtual * len(contexts)) * 3 * width * inner
    return int(2 * linear + 3 * attention - first_layer_back)


def peak_flops() -> float:
    """Floating point operations per CPU second of the fastest available product, in float32 on one thread."""
    import torch

    from phraseproof.engine.cpu.packed_linear import PackedLinear

    rows, inputs, outputs = 384, 768, 1536
    x, weight = torch.randn(rows, inputs), torch.randn(outputs, inputs)
    products: list[Callable[[], Any]] = [lambda: torch.nn.functional.linear(x, weight)]
    if torch.backends.mkldnn.is_available():
        layer = PackedLinear(weight)
        products.append(lambda: layer(x))
    with torch.no_grad():
        best = min(_seconds(product) for product in products for _ in range(30))
    return 2.0 * rows * inputs * outputs / best


def _seconds(product: Callable[[], Any]) -> float:
    began = time.process_time()
    product()
    return time.process_time() - began
