"""Low-rank adapters: what they adapt, that they start as the base model, and that what is saved is PEFT's own."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from phraseproof.alignment.low_rank import LowRankAdapter, target_modules
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.core import Prompt
from phraseproof.engine.network import Network
from phraseproof.engine.training.forward import TargetForward, TargetRow
from phraseproof.errors import ModelError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.adapters import AdapterFolder
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

FOLDERS = {
    "t5": tiny_models.tiny_t5,
    "bart": tiny_models.tiny_bart,
    "llama": tiny_models.tiny_llama,
    "gpt2": tiny_models.tiny_gpt2,
    "gemma2": tiny_models.tiny_gemma2,
    "gpt-neox": tiny_models.tiny_gpt_neox,
}
SETTINGS = AlignmentSettings(rank=3, seed=5)
ROWS = [TargetRow(tuple(range(5, 17)), (9, 31)), TargetRow(tuple(range(40, 47)), (12, 13))]


def model_of(family: str, adapter: Path | None = None) -> HuggingFaceModel:
    model = load_model(str(FOLDERS[family]()), ModelOptions(device="cpu", adapter=adapter))
    assert isinstance(model, HuggingFaceModel)
    return model


def trained_weights(network: Network, seed: int = 9) -> dict[str, torch.Tensor]:
    """Change the adapter's weights, as a training does, and return them."""
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if ".lora_" in name:
                parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
                found[name] = parameter.detach().clone()
    return found


def logits_of(model: HuggingFaceModel) -> torch.Tensor:
    forward = TargetForward(model.network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=None)
    return forward(ROWS).logits.detach()


def peft_logits(family: str, folder: Path, row: TargetRow) -> torch.Tensor:
    """Target logits [target tokens, vocabulary] of PEFT's own model, one row without padding."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    joined = family not in {"t5", "bart"}
    base = AutoModelForCausalLM if joined else AutoModelForSeq2SeqLM
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        name = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
        theirs: Any = PeftModel.from_pretrained(base.from_pretrained(name), str(folder)).eval()
        with torch.no_grad():
            if joined:
                return theirs(input_ids=torch.tensor([row.context + row.target])).logits[0][-len(row.target) - 1 : -1]
            return theirs(input_ids=torch.tensor([row.context]), labels=torch.tensor([row.target])).logits[0]


@pytest.mark.parametrize("uses_dora", [False, True])
@pytest.mark.parametrize("family", FOLDERS)
def test_peft_and_our_scoring_load_what_is_saved_and_say_the_same(family: str, uses_dora: bool, tmp_path: Path) -> None:
    model = model_of(family)
    base = logits_of(model)
    adapter = LowRankAdapter.inject(model.network, SETTINGS, uses_dora=uses_dora)
    # The packed pass against a plain one in float32: of the T5, logits of up to 6.2 differ by up to 2.2e-5.
    torch.testing.assert_close(logits_of(model), base, atol=1e-4, rtol=1e-4)
    adapter.save(tmp_path, trained_weights(model.network), str(FOLDERS[family]()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    ours = logits_of(model)
    assert float((ours - base).abs().max()) > 0.1
    for row, logits in zip(ROWS, ours, strict=True):
        torch.testing.assert_close(logits, peft_logits(family, tmp_path, row), atol=1e-4, rtol=1e-4)

    loaded = model_of(family, tmp_path)
    assert loaded.identity.adapter != model.identity.adapter
    forward = TargetForward(model.network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=None)
    prompts = [Prompt(text, ("A", "the red bread")) for text in tiny_models.sentences(3, seed=8)]
    for prompt, scores in zip(prompts, loaded.score_options(prompts), strict=True):
        (encoded,) = model.encode([prompt])
        for option, logprob in zip(encoded.options, scores.logprobs, strict=True):
            (logits,) = forward([TargetRow(tuple(encoded.context), option)]).logits.detach()
            picked = torch.log_softmax(logits, -1)[range(len(option)), option]
            assert logprob == pytest.approx(float(picked.sum()), abs=1e-4)

    adapter.remove()
    torch.testing.assert_close(logits_of(model), base, atol=0, rtol=0)


@pytest.mark.parametrize("uses_dora", [False, True])
@pytest.mark.parametrize("family", ["t5", "llama"])
def test_it_can_start_from_another_adapter(family: str, uses_dora: bool, tmp_path: Path) -> None:
    first = model_of(family)
    adapter = LowRankAdapter.inject(first.network, SETTINGS, uses_dora=uses_dora)
    adapter.save(tmp_path, trained_weights(first.network), str(FOLDERS[family]()))
    model = model_of(family)
    base = logits_of(model)
    # Another seed would draw another A.
    settings = dataclasses.replace(SETTINGS, seed=6)
    started = LowRankAdapter.inject(model.network, settings, uses_dora=uses_dora, start=AdapterFolder(tmp_path))
    ours = logits_of(model)
    assert float((ours - base).abs().max()) > 0.1
    for row, logits in zip(ROWS, ours, strict=True):
        torch.testing.assert_close(logits, peft_logits(family, tmp_path, row), atol=1e-4, rtol=1e-4)
    assert all(parameter.requires_grad for parameter in started.parameters)


@pytest.mark.parametrize(
    ("changes", "uses_dora", "message"),
    [
        ({"rank": 4}, False, r"has another rank \(expected 4, got 3\). Set --rank 3"),
        ({"lora_alpha": 1.0}, False, r"has another weight \(expected 1.0, got 6.0\). Set --alpha 6"),
        ({}, True, r"has another kind .* Use one of lora"),
        (
            {"target_modules": "q_proj"},
            False,
            r"changes other layers \(expected q_proj, got q_proj, v_proj\)",
        ),
    ],
)
def test_an_adapter_that_computes_something_else_is_no_start(
    changes: dict[str, Any], uses_dora: bool, message: str, tmp_path: Path
) -> None:
    model = model_of("llama")
    settings = dataclasses.replace(SETTINGS, target_modules="q_proj,v_proj")
    first = LowRankAdapter.inject(model.network, settings, uses_dora=False)
    first.save(tmp_path, trained_weights(model.network), "base")
    first.remove()
    base = logits_of(model)
    with pytest.raises(ModelError, match=f"--init: the adapter '.*' {message}"):
        LowRankAdapter.inject(
            model.network,
            dataclasses.replace(settings, **changes),
            uses_dora=uses_dora,
            start=AdapterFolder(tmp_path),
        )
    torch.testing.assert_close(logits_of(model), base, atol=0, rtol=0)
    other = model_of("gpt2")
    with pytest.raises((ModelError, UsageError)):
        LowRankAdapter.inject(other.network, SETTINGS, uses_dora=False, start=AdapterFolder(tmp_path))


def test_all_linear_layers_of_attention_and_feed_forward_layers_are_adapted() -> None:
    expected = {
        "t5": ["k", "o", "q", "v", "wi_0", "wi_1", "wo"],
        "bart": ["fc1", "fc2", "k_proj", "out_proj", "q_proj", "v_proj"],
        "llama": ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
        "gpt2": ["c_attn", "c_fc", "c_proj"],
        "gpt-neox": ["dense", "dense_4h_to_h", "dense_h_to_4h", "query_key_value"],
    }
    for family, names in expected.items():
        assert target_modules(model_of(family).network, "all-linear") == names


def test_named_layers_are_adapted_alone_and_unknown_names_are_refused() -> None:
    network = model_of("llama").network
    LowRankAdapter.inject(network, dataclasses.replace(SETTINGS, target_modules="v_proj, q_proj"), uses_dora=False)
    adapted = {name.split(".lora_")[0].rpartition(".")[2] for name, _ in network.named_parameters() if "lora_" in name}
    assert adapted == {"q_proj", "v_proj"}
    for wanted, problem in (("q_proj,qproj", "is called 'qproj'"), (" ,", "no layers are named")):
        with pytest.raises(UsageError, match=rf"^--target-modules: .*{problem}.* from: down_proj, gate_proj"):
            target_modules(model_of("llama").network, wanted)


def test_equal_seeds_start_with_equal_weights_and_write_equal_files(tmp_path: Path) -> None:
    written: list[tuple[bytes, bytes]] = []
    state = torch.random.get_rng_state()
    for number, seed in enumerate((5, 5, 6)):
        network = model_of("llama").network
        adapter = LowRankAdapter.inject(network, dataclasses.replace(SETTINGS, seed=seed), uses_dora=False)
        weights = {name: value for name, value in network.named_parameters() if "lora_" in name}
        assert all(bool((value == 0).all()) == ("lora_B" in name) for name, value in weights.items())
        adapter.save(tmp_path / str(number), weights, "base")
        files = sorted((tmp_path / str(number)).iterdir())
        written.append((files[0].read_bytes(), files[1].read_bytes()))
    assert written[0] == written[1]
    assert written[0][1] != written[2][1]
    assert torch.equal(torch.random.get_rng_state(), state)
    config = json.loads((tmp_path / "0" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (3, 6, "base")
    assert config["target_modules"] == sorted(config["target_modules"])


def test_a_network_can_be_adapted_again(tmp_path: Path) -> None:
    network = model_of("llama").network
    first = LowRankAdapter.inject(network, SETTINGS, uses_dora=False)
    first.remove()
    second = LowRankAdapter.inject(network, dataclasses.replace(SETTINGS, rank=2), uses_dora=True)
    second.save(tmp_path, trained_weights(network), "base")
    shapes = {
        tuple(value.shape)
        for name, value in load_file(tmp_path / "adapter_model.safetensors").items()
        if "lora_A" in name
    }
    assert {shape[0] for shape in shapes} == {2}
    assert json.loads((tmp_path / "adapter_config.json").read_text())["use_dora"]


def test_layers_that_peft_cannot_adapt_are_refused() -> None:
    network = model_of("llama").network
    network.model.layers[0].mlp.up_proj = torch.nn.LayerNorm(4)
    with pytest.raises(ModelError, match=r"^--method: .*cannot be given low-rank adapters .*LayerNorm"):
        LowRankAdapter.inject(network, SETTINGS, uses_dora=False)


def test_a_network_that_peft_cannot_wrap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import GenerationMixin

    network = model_of("llama").network
    monkeypatch.delattr(GenerationMixin, "prepare_inputs_for_generation")
    with pytest.raises(ModelError, match=r"^--method: .*cannot be given .*prepare_inputs_for_generation"):
        LowRankAdapter.inject(network, SETTINGS, uses_dora=False)
