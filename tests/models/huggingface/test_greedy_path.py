"""The method `paper` against a greedy loop written out by hand, without caches or batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from phraseproof.core import Prompt
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

FOLDERS: dict[str, Callable[[], Path]] = {
    "t5": tiny_models.tiny_t5,
    "bart": tiny_models.tiny_bart,
    "llama": tiny_models.tiny_llama,
    "gpt2": tiny_models.tiny_gpt2,
    "gemma2": tiny_models.tiny_gemma2,
    "mamba": tiny_models.tiny_mamba,
}


def prompts() -> list[Prompt]:
    found: list[Prompt] = []
    for sentence in tiny_models.sentences(4, seed=21):
        body = sentence.rsplit(" ", 1)[0]
        found.append(Prompt(body, ("A", "B", "C", "D")))
        found.append(Prompt("Say it. " + body + " ", ("the red green king", "west of the heart", "nerve and bone")))
    return found


def by_hand(network: Any, tokenizer: Any, prompt: Prompt) -> list[float]:
    bos = tokenizer.bos_token_id
    options = [tokenizer(option).input_ids for option in prompt.options]
    options = [ids[1:] if bos is not None and ids[:1] == [bos] else ids for ids in options]
    steps = min(map(len, options))
    read = tokenizer(prompt.text).input_ids
    end = network.generation_config.eos_token_id
    totals = [0.0] * len(options)
    written: list[int] = []
    with torch.no_grad():
        for step in range(steps):
            if network.config.is_encoder_decoder:
                start = network.config.decoder_start_token_id
                output = network(
                    input_ids=torch.tensor([read]), decoder_input_ids=torch.tensor([[start, *written]]), use_cache=False
                )
            else:
                output = network(input_ids=torch.tensor([read + written]), use_cache=False)
            probabilities = torch.softmax(output.logits[0, -1].double(), dim=-1)
            totals = [total + math.log(probabilities[ids[step]]) for total, ids in zip(totals, options, strict=True)]
            written.append(int(probabilities.argmax()))
            if written[-1] == end:
                break
    return totals


@pytest.mark.parametrize("name", FOLDERS)
def test_it_equals_a_greedy_loop_by_hand(name: str) -> None:
    model = load_model(str(FOLDERS[name]()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    given = prompts()
    scored = model.score_options(given, method="paper")
    network = model.network
    for prompt, scores in zip(given, scored, strict=True):
        expected = by_hand(network, model.tokenizer, prompt)
        assert scores.logprobs == pytest.approx(expected, abs=2e-4)
    alone = [model.score_options([prompt], method="paper")[0] for prompt in given]
    for one, many in zip(alone, scored, strict=True):
        assert one.logprobs == pytest.approx(many.logprobs, abs=2e-4)
        assert one[1:] == many[1:]


def test_a_run_that_ends_early_counts_its_own_steps_only() -> None:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    prompt = Prompt("Say it. the king of the", ("the red green king", "west of the heart"))
    neighbour = Prompt("Which planet?", ("the red green king of the west", "west of the heart and bone"))
    network = model.network
    (full,) = model.score_options([prompt], method="paper")
    first = model.tokenizer(prompt.text, return_tensors="pt").input_ids
    with torch.no_grad():
        logprobs = torch.log_softmax(network(input_ids=first).logits[0, -1], -1)
    network.generation_config.eos_token_id = int(logprobs.argmax())  # now the run's first token ends it
    ids = [model.tokenizer(option).input_ids[1] for option in prompt.options]
    for together in ([prompt], [prompt, neighbour]):
        scores = model.score_options(together, method="paper")[0]
        assert scores.logprobs == pytest.approx([float(logprobs[token]) for token in ids], abs=1e-4)
        assert scores.logprobs != pytest.approx(full.logprobs, abs=1e-2)


def test_no_probability_at_all_is_minus_infinity() -> None:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    token = model.tokenizer("A").input_ids[1]
    model.network.generation_config.suppress_tokens = [token]
    (scores,) = model.score_options([Prompt("Which?", ("A", "B"))], method="paper")
    assert scores.logprobs[0] == -math.inf
    assert math.isfinite(scores.logprobs[1])
