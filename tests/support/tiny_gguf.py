"""A tiny Llama as a GGUF file, written by the package `gguf`, and the network that the file describes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from support import tiny_models

HEADS, KV_HEADS = 4, 2
CHAT = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<answer>{% endif %}"
)

_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


@functools.cache
def tokenizer() -> Any:
    """A byte-level tokenizer, which the file holds."""
    return tiny_models.gpt2_tokenizer()


def config() -> LlamaConfig:
    """The network's: rows of 64 numbers, because blocks of quantised weights have 32."""
    return LlamaConfig(
        vocab_size=len(tokenizer()),
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS,
        max_position_embeddings=256,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
        bos_token_id=0,
        eos_token_id=0,
    )


def write(
    path: Path,
    types: tuple[str, ...] = ("F16",),
    *,
    architecture: str = "llama",
    change: Callable[[gguf.GGUFWriter], None] | None = None,
    with_tokenizer: bool = True,
    pre: str | None = "gpt-2",
) -> LlamaForCausalLM:
    """Write the file.

    Args:
        types: of the matrices, in turn.
        change: adds to the file before it is written.

    Returns:
        The network with the numbers that the file's blocks stand for.
    """
    network: LlamaForCausalLM = tiny_models.spread_weights(tiny_models.seeded(lambda: LlamaForCausalLM(config())))
    writer = gguf.GGUFWriter(path, architecture)
    _add_settings(writer)
    if with_tokenizer:
        _add_tokenizer(writer, pre)
    state = network.state_dict()
    for number, (name, weight) in enumerate(state.items()):
        kind = gguf.GGMLQuantizationType[types[number % len(types)] if weight.dim() > 1 else "F32"]
        blocks = gguf.quants.quantize(weight.numpy().astype(np.float32), kind)
        state[name] = torch.from_numpy(gguf.quants.dequantize(blocks, kind).astype(np.float32).copy())
        writer.add_tensor(_gguf_name(name), _rows_as_llama_cpp(name, blocks), raw_dtype=kind)
    if change is not None:
        change(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    network.load_state_dict(state)
    return network.eval()


def _add_settings(writer: gguf.GGUFWriter) -> None:
    settings = config()
    writer.add_context_length(settings.max_position_embeddings)
    writer.add_embedding_length(settings.hidden_size)
    writer.add_block_count(settings.num_hidden_layers)
    writer.add_feed_forward_length(settings.intermediate_size)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(settings.hidden_size // HEADS)
    writer.add_rope_freq_base(5000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(settings.vocab_size)


def _add_tokenizer(writer: gguf.GGUFWriter, pre: str | None) -> None:
    import json

    model = json.loads(tokenizer().backend_tokenizer.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].__getitem__)
    writer.add_tokenizer_model("gpt2")
    if pre is not None:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token == tokenizer().eos_token else 1 for token in tokens])
    writer.add_token_merges([" ".join(merge) if isinstance(merge, list) else merge for merge in model["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)
    writer.add_chat_template(CHAT)


def _gguf_name(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    if stem.startswith("model.layers."):
        _, _, layer, part = stem.split(".", 3)
        return f"blk.{layer}.{_NAMES[part]}.{suffix}"
    return f"{_NAMES[stem]}.{suffix}"


def _rows_as_llama_cpp(name: str, blocks: Any) -> Any:
    """The rows of queries and keys in llama.cpp's order: the two halves of a head, which rotate together, alternate."""
    heads = HEADS if "q_proj" in name else KV_HEADS if "k_proj" in name else None
    if heads is None:
        return blocks
    halves = blocks.reshape(heads, 2, blocks.shape[0] // heads // 2, *blocks.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(blocks.shape))
