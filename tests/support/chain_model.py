"""A Llama that writes what a test wants: the next token follows from the last one alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from support.tiny_models import llama_tokenizer

THINKING = (
    "{% for message in messages %}<s>{{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<s>answer:<think>\n{% endif %}"
)
"""A chat template whose prompts end inside a block of thoughts."""


def write_chain(folder: Path, pieces: Sequence[str], *, special: Sequence[str] = (), template: str = THINKING) -> Path:
    """A model that writes these pieces, each a token, after every chat prompt, and then ends; equal pieces are a loop.

    Args:
        folder: where it is written.
        pieces: the tokens.
        special: those that the tokenizer declares as special.
        template: the chat template.
    """
    tokenizer = llama_tokenizer(chat_template=template)
    tokenizer.add_tokens([piece for piece in dict.fromkeys(pieces) if piece not in special])
    tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    last: int = tokenizer("<think>\n")["input_ids"][-1]
    chain = [last, *tokenizer.convert_tokens_to_ids(list(pieces)), tokenizer.eos_token_id]
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=1024,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = LlamaForCausalLM(config)
        embeddings = torch.nn.functional.normalize(torch.randn(len(tokenizer), config.hidden_size), dim=-1)
    weights = network.state_dict()
    for name, weight in weights.items():
        if name.endswith(("o_proj.weight", "down_proj.weight", "lm_head.weight")):
            weight.zero_()
    weights["model.embed_tokens.weight"].copy_(embeddings)
    following: dict[int, int] = {}
    for token, after in pairwise(chain):
        following.setdefault(token, after)
    for token, after in following.items():
        weights["lm_head.weight"][after] += embeddings[token]
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
