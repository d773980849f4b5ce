"""Writing free text: against transformers' own `generate` on one prompt, and against itself in batches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import Generates, Prompt, Sampling
from phraseproof.errors import ModelError, UsageError
from phraseproof.models import ModelOptions, load_model
from support import tiny_models

PROMPTS = [Prompt(text) for text in ("Which river is north", "Answer:", "the teacher and the king often choose a")]
BUILDERS = [
    tiny_models.tiny_t5,
    tiny_models.tiny_llama,
    tiny_models.tiny_mamba,
    tiny_models.tiny_bart,
    tiny_models.tiny_gpt2,
    tiny_models.tiny_gemma2,
]


def model(folder: Path, **args: str) -> Any:
    return load_model(str(folder), ModelOptions(device="cpu", dtype="float32", args=args))


def reference(folder: Path, prompt: str, **settings: Any) -> str:
    """One prompt through transformers alone."""
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    joined = not AutoConfig.from_pretrained(folder).is_encoder_decoder
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    network: Any = (AutoModelForCausalLM if joined else AutoModelForSeq2SeqLM).from_pretrained(folder)
    inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False)
    tokens = network.generate(
        **inputs, do_sample=False, num_beams=1, max_length=None, pad_token_id=tokenizer.pad_token_id or 0, **settings
    )[0]
    return tokenizer.decode(tokens[inputs["input_ids"].shape[1] if joined else 1 :], skip_special_tokens=True).strip()


@pytest.mark.parametrize("build", BUILDERS, ids=["t5", "llama", "recurrent", "bart", "gpt2", "windows"])
def test_greedy_texts_are_transformers_own_whatever_the_batch(build: Callable[[], Path]) -> None:
    folder = build()
    loaded = model(folder)
    assert isinstance(loaded, Generates)
    together = loaded.generate(PROMPTS, max_new_tokens=7)
    assert together == [reference(folder, prompt.text, max_new_tokens=7) for prompt in PROMPTS]
    assert together == [loaded.generate([prompt], max_new_tokens=7)[0] for prompt in PROMPTS]
    assert len(set(together)) > 1
    assert loaded.generate([], max_new_tokens=3) == []


@pytest.mark.parametrize("build", BUILDERS[:2], ids=["encoder-decoder", "decoder-only"])
def test_drawn_texts_depend_on_seed_and_prompt_alone(build: Callable[[], Path]) -> None:
    import torch

    loaded = model(build())
    before = torch.get_rng_state()
    drawn = [loaded.generate(PROMPTS, max_new_tokens=6, sampling=Sampling(1.5, 0.9, seed)) for seed in range(3)]
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(5)
    assert loaded.generate(PROMPTS[::-1], max_new_tokens=6, sampling=Sampling(1.5, 0.9, 1))[::-1] == drawn[1]
    assert len({tuple(texts) for texts in drawn}) == 3


def test_top_p_near_zero_is_greedy() -> None:
    loaded = model(tiny_models.tiny_llama())
    almost = Sampling(temperature=1.0, top_p=1e-6, seed=4)
    assert loaded.generate(PROMPTS, max_new_tokens=5, sampling=almost) == loaded.generate(PROMPTS, max_new_tokens=5)


def test_long_prompts_are_cut_from_the_left() -> None:
    folder = tiny_models.tiny_llama(max_length=64)
    loaded = model(folder)
    long = "river " * 300
    assert loaded.generate([Prompt(long)], max_new_tokens=5) == loaded.generate(
        [Prompt("river " * 280)], max_new_tokens=5
    )
    with pytest.raises(ModelError, match="no room for this number of new tokens"):
        loaded.generate([Prompt("a")], max_new_tokens=65)


@pytest.mark.parametrize(
    ("sampling", "tokens", "message"),
    [
        (Sampling(-1.0), 3, "temperature is out of range"),
        (Sampling(float("nan")), 3, "temperature is out of range"),
        (Sampling(1.0, 0.0), 3, "top_p is out of range"),
        (Sampling(1.0, 1.1), 3, "top_p is out of range"),
        (Sampling(), 0, "at least one new token"),
    ],
)
def test_settings_out_of_range(sampling: Sampling, tokens: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        model(tiny_models.tiny_t5()).generate(PROMPTS, max_new_tokens=tokens, sampling=sampling)
