"""A RoBERTa with random weights, in the files that roberta-large has on the hub."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import ByteLevelBPETokenizer
from transformers import AutoTokenizer, RobertaConfig, RobertaModel

LAYERS = 24
"""As roberta-large has."""


def write_roberta(folder: Path) -> Path:
    """Write config.json, model.safetensors, vocab.json, merges.txt, tokenizer.json and tokenizer_config.json."""
    folder.mkdir(parents=True)
    bytes_pairs = ByteLevelBPETokenizer()
    sentences = [
        "the keys were found by a small child",
        "the library is closed on bread",
        "sold from six",
        "yes und nach",
    ]
    bytes_pairs.train_from_iterator(
        sentences, vocab_size=400, min_frequency=1, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    )
    bytes_pairs.save_model(str(folder))
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=bytes_pairs.get_vocab_size(),
        hidden_size=16,
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
        type_vocab_size=1,
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        initializer_range=0.5,
    )
    RobertaModel(config).save_pretrained(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 64}))
    AutoTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))
    return folder
