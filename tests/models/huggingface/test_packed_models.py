"""Packed passes against plain ones, for the families that are packed: alone, shared across batches, out of memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from phraseproof.core import Prompt
from phraseproof.engine.attention import block_sdpa
from phraseproof.engine.cpu import packed_linear
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models
from support.architecture_audit import plain_logprob
from support.batches import wrap_batches

INSTRUCTION = "Read the question and answer with a letter.\n\n"


def tiny(name: str, config: str, **settings: Any) -> Path:
    """A folder with a tiny model of any class built like Llama."""
    import transformers

    tokenizer = tiny_models.llama_tokenizer()
    shape: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 512,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 3,
        **settings,
    }
    made: Any = getattr(transformers, config)(**shape)
    network: Any = tiny_models.seeded(lambda: transformers.AutoModelForCausalLM.from_config(made))
    return tiny_models.save(tiny_models.spread_weights(network, std=0.2), tokenizer, name)


@functools.cache
def plain_t5() -> Path:
    """The first T5's kind: no gates, ReLU."""
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = tiny_models.t5_tokenizer()
    shape: Any = T5Config
    config = shape(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="relu",
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    network = tiny_models.seeded(lambda: T5ForConditionalGeneration(config))
    return tiny_models.save(tiny_models.spread_weights(network), tokenizer, "t5-plain")


PACKED: dict[str, Callable[[], Path]] = {
    "llama": tiny_models.tiny_llama,
    "mistral": functools.cache(lambda: tiny("mistral", "MistralConfig", sliding_window=9)),
    "qwen2": functools.cache(lambda: tiny("qwen2", "Qwen2Config")),
    "qwen3": functools.cache(lambda: tiny("qwen3", "Qwen3Config")),
    "gemma": functools.cache(lambda: tiny("gemma", "GemmaConfig")),
    "gemma2": tiny_models.tiny_gemma2,
    "gpt2": tiny_models.tiny_gpt2,
    "gpt-neox": tiny_models.tiny_gpt_neox,
    "t5-untied": tiny_models.tiny_t5,
    "t5-plain": plain_t5,
}
GENERAL: dict[str, Callable[[], Path]] = {"mamba": tiny_models.tiny_mamba, "bart": tiny_models.tiny_bart}


def load(folder: Path, **options: Any) -> HuggingFaceModel:
    model = load_model(str(folder), ModelOptions(device="cpu", **options))
    assert isinstance(model, HuggingFaceModel)
    return model


def few_shot_prompts() -> list[Prompt]:
    """Two wordings of the same questions, each with demonstrations of its own."""
    sentences = tiny_models.sentences(7, seed=3)
    prompts: list[Prompt] = []
    for shown in ("\n\n".join(sentences[:2]), sentences[2]):
        for sentence in sentences[3:]:
            text = INSTRUCTION + shown + "\n\n" + sentence.rsplit(" ", 1)[0]
            prompts.append(Prompt(text, ("A", "B", "C", "D")))
            prompts.append(Prompt(text, ("red green", "the heart", "red blue of the west", "west")))
    return prompts


def plainly(model: HuggingFaceModel, prompt: Prompt) -> list[float]:
    """One option at a time, through the model's own forward."""
    network = model.network
    (encoded,) = model.encode([prompt])
    values: list[float] = []
    for option in encoded.options:
        with torch.no_grad():
            if network.config.is_encoder_decoder:
                read = torch.tensor([encoded.context])
                logits = network(input_ids=read, labels=torch.tensor([option])).logits[0]
            else:
                logits = network(input_ids=torch.tensor([encoded.context + option])).logits[0, -len(option) - 1 : -1]
        values.append(float(torch.log_softmax(logits.double(), -1)[range(len(option)), option].sum()))
    return values


@pytest.mark.parametrize("name", PACKED)
def test_packed_scores_equal_plain_ones(name: str) -> None:
    model = load(PACKED[name]())
    prompts = few_shot_prompts()
    expected = [plainly(model, prompt) for prompt in prompts]
    assert "without padding" in model.executor.scoring_path()
    assert max(max(scores) - min(scores) for scores in expected) > 0.1
    for size in (1, 3, 50):
        found = load(PACKED[name](), batch_size=size).score_options(prompts)
        for scores, values in zip(found, expected, strict=True):
            assert scores.logprobs == pytest.approx(values, abs=1e-4)


@pytest.mark.parametrize("name", PACKED)
def test_the_way_of_accelerators_gives_the_same_scores(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = few_shot_prompts()
    expected = load(PACKED[name]()).score_options(prompts)
    monkeypatch.setattr(block_sdpa, "in_blocks", lambda _: True)
    model = load(PACKED[name](), batch_size=9)
    found = model.score_options(prompts)
    assert "without padding" in model.executor.scoring_path()
    for scores, before in zip(found, expected, strict=True):
        assert scores.logprobs == pytest.approx(before.logprobs, abs=1e-4)
        assert scores.logprobs.index(max(scores.logprobs)) == before.logprobs.index(max(before.logprobs))


@pytest.mark.parametrize("name", ["llama", "t5-untied"])
def test_the_way_of_accelerators_is_tried_before_it_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if an accelerator's attention took no notice of masks.
    def unmasked(query: Any, key: Any, value: Any, *, attn_mask: Any = None, **others: Any) -> Any:
        return attention(query, key, value, **others)

    attention = torch.nn.functional.scaled_dot_product_attention
    monkeypatch.setattr(block_sdpa, "in_blocks", lambda _: True)
    monkeypatch.setattr(block_sdpa, "functional", SimpleNamespace(scaled_dot_product_attention=unmasked))
    assert "without padding" not in load(PACKED[name]()).executor.scoring_path()


@pytest.mark.parametrize("name", GENERAL)
def test_other_models_go_the_general_way_and_say_so(name: str) -> None:
    model = load(GENERAL[name]())
    model.score_options(few_shot_prompts()[:2])
    assert "without padding" not in model.executor.scoring_path()
    record = {check.name: check.detail for check in model.self_test(few_shot_prompts()[:2])}
    assert record["scoring path"] == model.executor.scoring_path()


def test_demonstrations_are_computed_once_a_wording() -> None:
    prompts = few_shot_prompts()
    model = load(tiny_models.tiny_llama(), batch_size=1)
    scored = model.score_options(prompts)
    asked, computed = sum(s.asked_tokens for s in scored), sum(s.computed_tokens for s in scored)
    assert asked > 10 * computed


@pytest.mark.parametrize("name", ["llama", "t5-untied"])
def test_packed_layers_change_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = few_shot_prompts()[:6]
    ways: list[str] = []
    scores: list[list[tuple[float, ...]]] = []
    for pays in (True, False):
        monkeypatch.setattr(packed_linear, "packing_pays", lambda pays=pays: pays)
        monkeypatch.setattr(packed_linear, "_SMALLEST", 1)
        model = load(PACKED[name]())
        scores.append([scored.logprobs for scored in model.score_options(prompts)])
        ways.append(model.executor.scoring_path())
    assert "layers packed" in ways[0]
    assert "plain linear layers" in ways[1]
    for one, other in zip(*scores, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


@pytest.mark.parametrize("name", ["llama", "t5-untied"])
def test_half_precision_is_packed_too(name: str) -> None:
    prompts = few_shot_prompts()[:4]
    model = load(PACKED[name](), dtype="bfloat16")
    scored = model.score_options(prompts)
    assert "without padding" in model.executor.scoring_path()
    for scores, prompt in zip(scored, prompts, strict=True):
        assert scores.logprobs == pytest.approx(plainly(model, prompt), abs=0.5)


def test_a_batch_that_ran_out_of_memory_leaves_what_is_shared_right(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = few_shot_prompts()
    model = load(tiny_models.tiny_llama(), batch_size=6)
    expected = model.score_options(prompts)
    count = [0]

    def failing(batch: Any, score: Any) -> Any:
        count[0] += 1
        scores = score(batch) if count[0] != 2 else None
        if scores is None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return scores

    wrap_batches(monkeypatch, model, failing)
    for scores, before in zip(model.score_options(prompts), expected, strict=True):
        assert scores.logprobs == pytest.approx(before.logprobs, abs=1e-4)


@pytest.mark.parametrize("kind", ["dynamic", "longrope"])
def test_rotations_that_depend_on_the_longest_sequence_are_packed_up_to_the_length_where_they_change(kind: str) -> None:
    """On both sides of the limit, and with options that cross it, in one call."""
    kinds: dict[str, dict[str, Any]] = {
        "dynamic": {"factor": 2.0},
        "longrope": {
            "short_factor": [1.0] * 4,
            "long_factor": [3.0] * 4,
            "original_max_position_embeddings": 60,
        },
    }
    rope = {"rope_type": kind, "rope_theta": 10000.0, **kinds[kind]}
    limit = 60 if kind == "dynamic" else 1024
    folder = tiny(f"llama-{kind}", "LlamaConfig", rope_parameters=rope, max_position_embeddings=limit)
    model = load(folder, max_length=1024)
    lines = tiny_models.sentences(8, seed=3)
    prompts = [Prompt("\n".join(lines[:count]), ("A", "red green blue of the king", "the")) for count in (1, 2, 1, 4)]
    (long,) = model.encode([Prompt("\n".join(lines), ("A",))])
    prompts += [Prompt(model.tokenizer.decode(long.context[1:count]), prompts[0].options) for count in (56, 59, 60)]
    found = model.score_options(prompts)
    assert "without padding" in model.executor.scoring_path()
    for encoded, scores in zip(model.encode(prompts), found, strict=True):
        for option, logprob in zip(encoded.options, scores.logprobs, strict=True):
            network = load(folder).network  # frequencies of longer sequences stay in one that has read them
            assert logprob == pytest.approx(plain_logprob(network, encoded.context, option), abs=1e-4)


def test_the_network_is_itself_again_afterwards() -> None:
    model = load(tiny_models.tiny_llama())
    before = model.network.config._attn_implementation
    ids = torch.tensor([[1, 5, 9, 30, 4]])
    expected = model.network(input_ids=ids).logits
    model.score_options(few_shot_prompts()[:2])
    assert model.network.config._attn_implementation == before
    assert torch.allclose(model.network(input_ids=ids).logits, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["llama", "t5-untied"])
def test_an_attention_that_was_asked_for_is_used(name: str) -> None:
    model = load(PACKED[name](), args={"attn_implementation": "eager"})
    prompts = few_shot_prompts()[:3]
    packed = load(PACKED[name]()).score_options(prompts)
    for scores, other in zip(model.score_options(prompts), packed, strict=True):
        assert scores.logprobs == pytest.approx(other.logprobs, abs=1e-4)
    assert "without padding" not in model.executor.scoring_path()
