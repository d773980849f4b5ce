"""Tiny random networks of every architecture that transformers can build from a configuration, made by name.

A configuration is made small by the names of its fields: `hidden_size` becomes 32, `num_hidden_layers` 2, and so on.
A few architectures need values of their own, given in `_OWN`.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Any

VOCABULARY = 512
POSITIONS = 80
"""Context limit of the tiny networks, in tokens, where the architecture has one."""

_SIZES: tuple[tuple[str, int], ...] = (
    # The first pattern that matches a field's whole name gives its value.
    (
        r"vocab_size_per_layer_input|vocab_size|src_vocab_size|tgt_vocab_size|decoder_vocab_size|unpadded_vocab_size",
        VOCABULARY,
    ),
    (r"max_position_embeddings|n_positions|n_ctx|max_seq_len|max_sequence_length|context_length", POSITIONS),
    (r"model_max_length|max_(encoder|decoder)_position_embeddings|max_(source|target)_positions", POSITIONS),
    (r"original_max_position_embeddings", POSITIONS),
    (r"sliding_window|sliding_window_size|attention_window_size|attention_chunk_size|window_size|local_attention", 16),
    (r"local_attention_window_len", 16),
    (r"hidden_size_per_layer_input|ple_embed_dim", 8),
    (
        r"hidden_size(_global)?|d_model|n_embd|dim_model|embedding_size|input_embedding_size|output_embedding_size|emb_dim",
        32,
    ),
    (r"embedding_dim|word_embed_proj_dim|attention_hidden_size|lru_width|feed_forward_size|dim_model_base", 32),
    (r"router_hidden_size|attn_hidden_size", 16),
    (r"(moe_|shared_|dense_|moe_shared_|expert_)?(expert_)?(intermediate|ffn_hidden)_size(_mlp)?", 64),
    (r"shared_experts_intermediate_size|moe_shared_expert_intermediate_size", 64),
    (r"n_inner|d_ff|dim_ff|dff|ffn_dim|(encoder|decoder)_ffn_dim|d_inner|mamba_d_ssm", 64),
    (r"num_hidden_layers|n_layers?|num_layers|num_(encoder|decoder)_layers|(encoder|decoder)_layers|num_blocks", 2),
    (r"num_layers_per_stack|num_dense_layers|first_k_dense_replace", 1),
    (r"num_attention_heads|n_heads?|num_heads|(encoder|decoder)_attention_heads|attention_heads", 4),
    (r"num_(encoder|decoder)_attention_heads|swa_num_attention_heads|index_n_heads|linear_num_heads", 4),
    (r"num_key_value_heads|num_kv_heads|swa_num_key_value_heads|num_query_groups", 2),
    (r"linear_num_key_heads|linear_num_value_heads", 4),
    (r"head_dim|attention_head_dim|swa_head_dim|linear_(key_|value_)?head_dim|d_kv|d_head|kv_channels|dim_head", 8),
    (r"attention_head_size|qk_nope_head_dim|v_head_dim|index_head_dim|global_head_dim", 8),
    (r"qk_rope_head_dim|rotary_dim", 4),
    (r"qk_head_dim", 12),
    (r"kv_lora_rank|q_lora_rank|o_lora_rank|laurel_rank|gated_norm_rank|hc_lowrank|adapter_rank", 16),
    (r"n_group|topk_group|num_expert_group|n_groups|mamba_n_groups|mamba_ngroups", 1),
    (r"num_experts_per_tok(en)?|moe_topk|moe_k", 2),
    (r"num_experts|n_routed_experts|num_local_experts|moe_num_experts", 4),
    (r"n_shared_experts|num_shared_experts|moe_num_shared_experts", 1),
    (r"expert_capacity", 64),
    (r"state_size|ssm_state_size|mamba_d_state", 8),
    (r"mamba_(n|num)_heads", 8),
    (r"n_mamba_heads", 2),
    (r"mamba_(d_head|head_dim|headdim)", 8),
    (r"mamba_chunk_size|chunk_size", 8),
    (r"time_step_rank|mamba_dt_rank", 4),
    (r"index_topk", 16),
    (r"index_block_size", 8),
    (r"index_topk_blocks", 2),
    (r"num_random_blocks", 1),
    (r"block_size", 4),
    (r"query_pre_attn_scalar", 8),
    (r"prompt_mid_dim", 32),
)

_DECODER = {"is_decoder": True}
_OWN_DECODER = {"is_encoder_decoder": False, "is_decoder": True}
_BERT = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": POSITIONS, "pad_token_id": 0,
}  # fmt: skip
_ROPE = {"rope_theta": 10000.0}

_OWN: dict[str, dict[str, Any]] = {
    **dict.fromkeys(
        (
            "bert",
            "bert-generation",
            "big_bird",
            "camembert",
            "data2vec-text",
            "electra",
            "ernie",
            "megatron-bert",
            "rembert",
            "roberta",
            "roberta-prelayernorm",
            "roc_bert",
            "roformer",
            "xlm-roberta",
            "xlm-roberta-xl",
        ),
        _DECODER,
    ),
    "bart/decoder": _OWN_DECODER,
    "bigbird_pegasus/decoder": _OWN_DECODER,
    "blenderbot/decoder": _OWN_DECODER,
    "blenderbot-small/decoder": _OWN_DECODER,
    "marian/decoder": _OWN_DECODER,
    "mbart/decoder": _OWN_DECODER,
    "mvp/decoder": _OWN_DECODER,
    "pegasus/decoder": _OWN_DECODER,
    "plbart/decoder": _OWN_DECODER,
    "prophetnet/decoder": _OWN_DECODER,
    "whisper/decoder": _OWN_DECODER,
    "xlm/causal": {"causal": True},
    "xmod": {**_DECODER, "default_language": "en_XX"},
    "reformer": {
        "is_decoder": True,
        "axial_pos_shape": [8, 10],
        "axial_pos_embds_dim": [16, 16],
        "lsh_attn_chunk_length": 8,
        "local_attn_chunk_length": 8,
        "attn_layers": ["local", "lsh"],
    },
    "roc_bert": {
        **_DECODER,
        "pronunciation_vocab_size": 64,
        "shape_vocab_size": 64,
        "pronunciation_embed_dim": 8,
        "shape_embed_dim": 8,
    },
    "blt": {"encoder_hash_byte_group_vocab": 64},
    "encoder-decoder": {
        "encoder": {"model_type": "bert", **_BERT},
        "decoder": {"model_type": "bert", "is_decoder": True, "add_cross_attention": True, **_BERT},
    },
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "mamba2": {"num_heads": 8},
    "zaya": {"num_experts_per_tok": 1},
    "zamba2": {"num_hidden_layers": 3, "layers_block_type": ["mamba", "hybrid", "mamba"]},
    "lfm2_moe": {"layer_types": ["conv", "full_attention"]},
    "led": {"attention_window": [16, 16]},
    "gemma3n_text": {
        "num_kv_shared_layers": 0,
        "layer_types": ["sliding_attention", "full_attention"],
        "activation_sparsity_pattern": [0.0, 0.0],
    },
    "cohere_compass_text": {
        "layer_types": ["sliding_attention", "full_attention"],
        "rope_parameters": {
            "sliding_attention": {**_ROPE, "rope_type": "default"},
            "full_attention": {**_ROPE, "rope_type": "default"},
        },
    },
    "phi3/longrope": {
        "original_max_position_embeddings": 32,
        "rope_parameters": {
            **_ROPE,
            "rope_type": "longrope",
            "short_factor": [1.0] * 4,
            "long_factor": [3.0] * 4,
            "original_max_position_embeddings": 32,
        },
    },
    "llama/dynamic": {
        "max_position_embeddings": 32,
        "rope_parameters": {**_ROPE, "rope_type": "dynamic", "factor": 4.0},
    },
    "llama/yarn": {
        "rope_parameters": {**_ROPE, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}
    },
    "llama/llama3": {
        "rope_parameters": {
            **_ROPE,
            "rope_type": "llama3",
            "factor": 4.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 32,
        }
    },
    "llama/linear": {"rope_parameters": {**_ROPE, "rope_type": "linear", "factor": 4.0}},
}
"""What the rules do not say, by model type; "type/variant" is a second network of a type."""

_OTHERS = {"dbrx", "fuyu", "gemma4_assistant", "gemma4_unified_assistant", "t5gemma2", "whisper", "zamba"}
"""Models that also read images or sound; draft models, which read another model's states; dbrx and zamba, whose classes
of this release do not fit their configurations."""

_TEXT_PARTS = {
    "text_config", "attn_config", "ffn_config", "patcher_config", "encoder_config", "decoder_config", "global_config",
    "encoder", "decoder",
}  # fmt: skip
"""Parts of a composite configuration that read text; a model with others is multimodal."""


def names() -> tuple[list[str], list[str]]:
    """Decoder-only and encoder-decoder architectures that read text alone, variants included."""
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )

    causal = [name for name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES if _reads_text_alone(name) and name not in _OTHERS]
    seq2seq = [name for name in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES if _reads_text_alone(name)]
    seq2seq = [name for name in seq2seq if name not in _OTHERS]
    both = set(seq2seq)
    variants = [name for name in _OWN if "/" in name]
    return sorted({*causal, *variants} - both), sorted(seq2seq)


def _reads_text_alone(model_type: str) -> bool:
    from transformers import CONFIG_MAPPING

    config_class: Any = CONFIG_MAPPING[model_type]
    return set(config_class.sub_configs) <= _TEXT_PARTS


def sizes(config_class: Any) -> dict[str, int]:
    """The fields of a configuration class that are made small, with their values."""
    chosen: dict[str, int] = {}
    for field in dataclasses.fields(config_class):
        for pattern, value in _SIZES:
            if re.fullmatch(pattern, field.name):
                chosen[field.name] = value
                break
    return chosen


def tiny_config(name: str) -> Any:
    """A small configuration of a model type, or of a variant of it ("type/variant").

    Raises:
        Exception: whatever a configuration class raises that these rules do not fit.
    """
    from transformers import CONFIG_MAPPING

    return _shrunk(CONFIG_MAPPING[name.partition("/")[0]], dict(_OWN.get(name, {})))


def _shrunk(config_class: Any, own: dict[str, Any]) -> Any:
    fields = {field.name for field in dataclasses.fields(config_class)}
    named: dict[str, Any] = dict(sizes(config_class))
    encoder_decoder = getattr(config_class, "is_encoder_decoder", False) or "decoder_start_token_id" in fields
    special = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3}
    if encoder_decoder:
        special = {"bos_token_id": 2, "eos_token_id": 1, "pad_token_id": 0, "decoder_start_token_id": 1}
    parts: dict[str, Any] = config_class.sub_configs
    for name, part in parts.items():
        if hasattr(part, "__dataclass_fields__") and part.__name__ not in {"PreTrainedConfig", "AutoConfig"}:
            named[name] = _shrunk(part, {**special, **own.pop(name, {})})
    if {"qk_rope_head_dim", "qk_nope_head_dim"} <= fields:  # latent attention has no groups
        named |= {"num_key_value_heads": named["num_attention_heads"]}
        if "head_dim" in fields:
            named["head_dim"] = named["qk_rope_head_dim"]
    return config_class(**{**named, **special, **own})
