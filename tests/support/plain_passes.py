"""Scores by plain passes of transformers: the independent source that ours are compared with."""

from __future__ import annotations

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
