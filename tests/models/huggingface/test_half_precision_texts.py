"""Greedy texts in bfloat16: the same whatever is written together, where tokens lead by more than rounding.

The leads come from transformers' own `generate`, one prompt at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from phraseproof.core import Prompt
from phraseproof.models import ModelOptions, load_model
from support import tiny_models

NEW_TOKENS = 3
ULPS = 4
"""A lead counts if it is larger than this number of steps of bfloat16 at the size of the largest logit."""

BEGINNING = "Read the text below, and say in one sentence what the teacher and the king choose.\n\n"
PROMPTS = [
    Prompt(text)
    for line in tiny_models.sentences(12, seed=5)
    for text in (f"{line}\nIn short:", BEGINNING + line)
]  # fmt: skip


def load(folder: Path, size: int | None = None) -> Any:
    return load_model(str(folder), ModelOptions(device="cpu", dtype="bfloat16", batch_size=size))


def text_and_lead(model: Any, prompt: Prompt) -> tuple[str, float]:
    """The text that transformers writes alone, and the smallest lead of its tokens, in steps of bfloat16."""
    ids = model.tokenizer(prompt.text, return_tensors="pt")["input_ids"]
    written = model.network.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=NEW_TOKENS,
        output_logits=True,
        return_dict_in_generate=True,
    )
    given = ids.shape[1] if model.is_decoder_only else 1
    text = cast("str", model.tokenizer.decode(written.sequences[0, given:].tolist(), skip_special_tokens=True))
    leads: list[float] = []
    for logits in written.logits:
        first, second = logits[0].float().topk(2).values.tolist()
        leads.append((first - second) / (float(logits.abs().max()) * torch.finfo(torch.bfloat16).eps))
    return text.strip(), min(leads)


@pytest.mark.parametrize("build", [tiny_models.tiny_t5, tiny_models.tiny_llama, tiny_models.tiny_gemma2])
def test_texts_in_bfloat16_do_not_depend_on_the_batch_where_tokens_lead(build: Callable[[], Path]) -> None:
    folder = build()
    model = load(folder)
    assert model.network.dtype == torch.bfloat16
    model.weights.pack_layers()  # leads are those of the network that writes
    assert model.backend.text_writing is not None
    alone = [text_and_lead(model, prompt) for prompt in PROMPTS]
    certain = [number for number, (_, lead) in enumerate(alone) if lead > ULPS]
    assert len(certain) >= 6
    in_batches = {
        "one": load(folder, 1).generate(PROMPTS, max_new_tokens=NEW_TOKENS),
        "seven": load(folder, 7).generate(PROMPTS, max_new_tokens=NEW_TOKENS),
        "all, reversed": model.generate(PROMPTS[::-1], max_new_tokens=NEW_TOKENS)[::-1],
    }
    for texts in in_batches.values():
        assert [texts[number] for number in certain] == [alone[number][0] for number in certain]
