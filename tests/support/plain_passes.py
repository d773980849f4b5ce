"""Scores by plain passes of transformers: the independent source that ours are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from phraseproof.core import Prompt


def logprobs(network: Any, tokenizer: Any, prompt: Prompt) -> list[float]:
    """The log-probability of each option of a decoder-only model, each in a separate pass."""
    text = prompt.text.rstrip()
    rest = prompt.text[len(text) :] + prompt.target_delimiter
    special = not prompt.has_special_tokens
    context = tokenizer(text, add_special_tokens=special)["input_ids"]
    found: list[float] = []
    for option in prompt.options:
        whole = tokenizer(text + rest + option, add_special_tokens=special)["input_ids"]
        with torch.no_grad():
            logits = network(torch.tensor([whole])).logits[0].float().log_softmax(-1)
        found.append(sum(float(logits[place - 1, whole[place]]) for place in range(len(context), len(whole))))
    return found


def first_token(network: Any, tokenizer: Any, text: str, letters: Sequence[str]) -> list[float]:
    """The probability that an answer in the chat template begins with each letter, with or without a space."""
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": text}], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )["input_ids"]
    with torch.no_grad():
        probabilities = network(ids).logits[0, -1].float().softmax(-1)
    vocabulary = tokenizer.get_vocab()
    return [
        sum(float(probabilities[vocabulary[name]]) for name in (letter, f"Ġ{letter}") if name in vocabulary)
        for letter in letters
    ]
