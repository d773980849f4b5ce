"""Vectors against transformers' own forward, one prompt at a time, with `output_hidden_states`."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from phraseproof.core import Prompt, Represents
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.scripted import ScriptedModel
from support import architecture_audit, tiny_models

MODELS: dict[str, Callable[[], Path]] = {
    "t5": tiny_models.tiny_t5,
    "bart": tiny_models.tiny_bart,
    "llama": tiny_models.tiny_llama,
    "gpt2": tiny_models.tiny_gpt2,
    "gemma2": tiny_models.tiny_gemma2,
    "mamba": tiny_models.tiny_mamba,
}
LONG_AND_SHORT = [
    *(Prompt(text[:110], ("A", "B")) for text in tiny_models.sentences(5, seed=3)),
    Prompt("why", ("A", "B")),
    Prompt("", ("A", "B")),
]


def network_of(folder: Path) -> Any:
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder)
    family = transformers.AutoModelForSeq2SeqLM if config.is_encoder_decoder else transformers.AutoModelForCausalLM
    return family.from_pretrained(folder).eval()


def by_transformers(network: Any, ids: list[int], layer: int = -2) -> Any:
    """One of the hidden states, at the decoder's start or the prompt's last position."""
    tokens = torch.tensor([ids])
    with torch.no_grad():
        if network.config.is_encoder_decoder:
            start = torch.tensor([[network.config.decoder_start_token_id]])
            output = network(input_ids=tokens, decoder_input_ids=start, output_hidden_states=True)
            return output.decoder_hidden_states[layer][0, 0].numpy()
        return network(input_ids=tokens, output_hidden_states=True).hidden_states[layer][0, -1].numpy()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("batch_size", [None, 1])
def test_vectors_equal_a_direct_forward(name: str, batch_size: int | None) -> None:
    folder = MODELS[name]()
    model: Any = load_model(str(folder), ModelOptions(batch_size=batch_size))
    assert issubclass(type(model), Represents)
    found = model.represent(LONG_AND_SHORT)
    network = network_of(folder)
    wanted = np.stack([by_transformers(network, list(tokens.context)) for tokens in model.encode(LONG_AND_SHORT)])
    assert found.shape == wanted.shape == (7, 32)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=2e-4 * np.abs(wanted).max(), rtol=0)
    assert np.ptp(wanted, axis=0).max() > 100 * np.abs(found - wanted).max(), "prompts differ by more than rounding"


@pytest.mark.parametrize("name", ["t5", "bart", "llama", "gpt2", "mamba"])
def test_every_layer_equals_a_direct_forward(name: str) -> None:
    folder = MODELS[name]()
    model: Any = load_model(str(folder))
    network = network_of(folder)
    (tokens, *_) = model.encode(LONG_AND_SHORT)
    count = model.count_layers()
    layers = range(-count, count)
    found = [model.represent(LONG_AND_SHORT, layer=layer)[0] for layer in layers]
    for layer, state in zip(layers, found, strict=True):
        wanted = by_transformers(network, list(tokens.context), layer)
        np.testing.assert_allclose(state, wanted, atol=2e-4 * np.abs(wanted).max(), rtol=0)
    assert len({state.tobytes() for state in found}) == count, "layers differ"
    with pytest.raises(IndexError):
        by_transformers(network, list(tokens.context), count)


@pytest.mark.parametrize("name", ["phi3/longrope", "llama/dynamic", "llama4_text", "fsmt", "bigbird_pegasus"])
def test_lengths_at_which_a_network_changes_do_not_share_a_batch(name: str) -> None:
    encoder_decoder = name in {"fsmt", "bigbird_pegasus"}
    folder = architecture_audit.folder(name, encoder_decoder=encoder_decoder)
    model: Any = load_model(str(folder), ModelOptions(device="cpu", max_length=80))
    sentences = tiny_models.sentences(3, seed=3)
    texts = [" ".join((sentences[0] + " " + sentences[1]).split()[:words]) for words in (2, 5, 9, 13, 17, 40)]
    prompts = [Prompt(text, ("A", "B")) for text in texts]
    found = model.represent(prompts)
    network = network_of(folder)
    lengths: set[int] = set()
    for prompt, state in zip(prompts, found, strict=True):
        (tokens,) = model.encode([prompt])
        context = list(tokens.context)[-80:]
        lengths.add(len(context))
        expected = by_transformers(copy.deepcopy(network), context)
        np.testing.assert_allclose(state, expected, atol=2e-4 * np.abs(expected).max(), rtol=0)
    assert min(lengths) < 32 < max(lengths), "the prompts straddle the threshold"


@pytest.mark.parametrize("name", ["t5", "llama"])
def test_options_and_order_play_no_part_and_equal_prompts_are_read_once(name: str) -> None:
    model: Any = load_model(str(MODELS[name]()))
    counted: list[int] = []
    twice = [*LONG_AND_SHORT, Prompt(LONG_AND_SHORT[0].text, ("other",))]
    found = model.represent(twice, on_done=counted.append)
    assert sum(counted) == len(twice)
    np.testing.assert_array_equal(found[0], found[-1])
    np.testing.assert_allclose(model.represent(twice[::-1])[::-1], found, atol=1e-4)


@pytest.mark.parametrize("name", ["t5", "llama"])
def test_a_long_prompt_is_cut_from_the_left(name: str) -> None:
    folder = MODELS[name]()
    model: Any = load_model(str(folder), ModelOptions(max_length=12))
    (tokens,) = model.encode([Prompt(tiny_models.sentences(1)[0], ("A",))])
    assert len(tokens.context) > 12
    found = model.represent([Prompt(tiny_models.sentences(1)[0], ("A",))])[0]
    np.testing.assert_allclose(found, by_transformers(network_of(folder), list(tokens.context[-12:])), atol=1e-4)


@pytest.mark.parametrize("name", ["t5", "llama"])
@pytest.mark.parametrize("kind", ["prompt", "prefix", "lora"])
def test_adapters_ride_along(name: str, kind: str, tmp_path: Path) -> None:
    """Against PEFT's own forward: it must also move the vectors."""
    import peft

    base = MODELS[name]()
    task: Any = "SEQ_2_SEQ_LM" if name == "t5" else "CAUSAL_LM"
    config: Any
    if kind == "prompt":
        config = peft.PromptTuningConfig(task_type=task, num_virtual_tokens=3, num_transformer_submodules=1)
    elif kind == "prefix":
        # PEFT gives an encoder-decoder's layer i the entry 2i: with twice the entries each layer has its own.
        config = peft.PrefixTuningConfig(task_type=task, num_virtual_tokens=3)
        config.num_layers = 4 if name == "t5" else 2
    else:
        config = peft.LoraConfig(task_type=task, r=2, lora_alpha=8, init_lora_weights=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs: Any = tiny_models.seeded(lambda: peft.get_peft_model(network_of(base), config))
        theirs.eval().save_pretrained(tmp_path)
    model: Any = load_model(str(base), ModelOptions(adapter=tmp_path))
    found = model.represent(LONG_AND_SHORT)
    assert np.abs(found - np.asarray(load_base(base))).max() > 1e-3
    for row, tokens in zip(found, model.encode(LONG_AND_SHORT), strict=True):
        ids = torch.tensor([tokens.context])
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "output_hidden_states": True}
        if name == "t5":
            inputs["decoder_input_ids"] = torch.tensor([[0]])
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            output = theirs(**inputs)
        states = output.decoder_hidden_states if name == "t5" else output.hidden_states
        np.testing.assert_allclose(row, states[-2][0, -1].numpy(), atol=1e-4)


def load_base(folder: Path) -> Any:
    model: Any = load_model(str(folder))
    return model.represent(LONG_AND_SHORT)


def test_a_state_that_is_not_finite_is_one_line() -> None:
    model: Any = load_model(str(tiny_models.tiny_t5()))
    with torch.no_grad():
        model.network.get_encoder().embed_tokens.weight[:] = float("nan")
    with pytest.raises(ModelError, match="not a finite number"):
        model.represent(LONG_AND_SHORT)


def test_the_scripted_model_represents_similar_prompts_similarly() -> None:
    model = ScriptedModel()
    near, same, far = model.represent([Prompt("red stone river"), Prompt("red stone RIVER"), Prompt("moon")])
    np.testing.assert_array_equal(near, same)
    assert np.linalg.norm(near - far) > 0.1
