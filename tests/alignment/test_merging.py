"""Merged adapters: ordinary model folders with the adapter's logits, from checkpoints and from GGUF files."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from phraseproof.alignment.trainer import train as run_training
from phraseproof.core import Prompt, ScoresOptions
from phraseproof.errors import RunError, UsageError
from phraseproof.models import load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.store.training_record import read_record
from support import tiny_gguf, tiny_models
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU, QUICK

PROMPTS = [Prompt(text, ("A", "the red bread")) for text in tiny_models.sentences(3, seed=8)]


def scores(model: str, adapter: Path | None = None) -> torch.Tensor:
    loaded = load_model(model, dataclasses.replace(CPU, adapter=adapter))
    assert isinstance(loaded, ScoresOptions)
    return torch.tensor([found.logprobs for found in loaded.score_options(PROMPTS)])


def trained(model: Any, out: Path, method: str, **options: Any) -> Any:
    settings = dataclasses.replace(QUICK, method=method, rank=3, max_steps=2)
    return run_training(model, shared_wordings(), out, settings, model_options=CPU, **options)


def logits(network: Any, ids: torch.Tensor) -> torch.Tensor:
    inputs = {"labels": ids[:, :5]} if network.config.is_encoder_decoder else {}
    with torch.no_grad():
        return network(input_ids=ids, **inputs).logits


@pytest.mark.parametrize("method", ["lora+kl", "dora+kl"])
@pytest.mark.parametrize("family", ["llama", "t5", "gpt2"])
def test_a_merged_model_has_the_logits_of_peft_s_adapter(family: str, method: str, tmp_path: Path) -> None:
    from peft import PeftModel

    source = getattr(tiny_models, f"tiny_{family}")()
    result = trained(str(source), tmp_path / "a", method, merge=True)
    assert result.merged == tmp_path / "a" / "merged"
    loader = AutoModelForSeq2SeqLM if family == "t5" else AutoModelForCausalLM
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = loader.from_pretrained(source).eval()
        merged = loader.from_pretrained(result.merged).eval()
        ids = torch.tensor([list(range(5, 25))])
        untouched = logits(base, ids)
        expected = logits(PeftModel.from_pretrained(base, str(tmp_path / "a")).eval(), ids)
    torch.testing.assert_close(logits(merged, ids), expected, atol=2e-5 * float(expected.abs().max()), rtol=0)
    assert float((expected - untouched).abs().max()) > 0.01
    assert len(AutoTokenizer.from_pretrained(result.merged)) == len(AutoTokenizer.from_pretrained(source))
    torch.testing.assert_close(scores(str(result.merged)), scores(str(source), tmp_path / "a"), atol=1e-4, rtol=1e-4)


def test_the_merged_folder_has_the_record_of_wordings(tmp_path: Path) -> None:
    trained(str(tiny_models.tiny_llama()), tmp_path / "a", "lora+kl", merge=True)
    adapter, merged = (read_record(tmp_path / "a" / name) or {} for name in (".", "merged"))
    assert merged["kind"] == "model"
    assert adapter["kind"] == "adapter"
    for section in ("wordings", "held_out_wordings", "settings", "base_model"):
        assert merged[section] == adapter[section]
    assert merged["wordings"]


def test_a_finished_training_is_merged_later_and_once(tmp_path: Path) -> None:
    source = str(tiny_models.tiny_llama())
    assert trained(source, tmp_path / "a", "lora+kl").merged is None
    assert not (tmp_path / "a" / "merged").exists()
    merged = trained(source, tmp_path / "a", "lora+kl", merge=True).merged
    written = (merged / "model.safetensors").stat().st_mtime_ns
    assert trained(source, tmp_path / "a", "lora+kl", merge=True).merged == merged
    assert (merged / "model.safetensors").stat().st_mtime_ns == written


def test_a_loaded_model_is_not_changed_by_merging(tmp_path: Path) -> None:
    model = load_model(str(tiny_models.tiny_llama()), CPU)
    assert isinstance(model, HuggingFaceModel)
    before = {name: value.clone() for name, value in model.network.named_parameters()}
    trained(model, tmp_path / "a", "dora+kl", merge=True)
    after = dict(model.network.named_parameters())
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize("types", [("F16",), ("Q8_0",)])
def test_the_weights_of_a_gguf_file_are_trained_on_and_merged(types: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    tiny_gguf.write(file, types)
    result = trained(str(file), tmp_path / "a", "lora+kl", merge=True)
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == str(file)
    own = scores(str(file), tmp_path / "a")
    assert float((own - scores(str(file))).abs().max()) > 0.01
    torch.testing.assert_close(scores(str(result.merged)), own, atol=1e-4, rtol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network: Any = AutoModelForCausalLM.from_pretrained(result.merged)
    assert network.dtype == torch.float32


def test_other_results_are_not_merged(tmp_path: Path) -> None:
    for method in ("pt+kl", "ft"):
        with pytest.raises(UsageError, match=r"^--merge: .* cannot be merged .*lora\+kl"):
            trained(str(tiny_models.tiny_llama()), tmp_path / "a", method, merge=True)
    assert not (tmp_path / "a").exists()
    trained(str(tiny_models.tiny_llama()), tmp_path / "b", "lora")
    (tmp_path / "b" / "merged").mkdir()
    (tmp_path / "b" / "merged" / "config.json").write_text("{}")
    with pytest.raises(RunError, match="did not write"):
        trained(str(tiny_models.tiny_llama()), tmp_path / "b", "lora", merge=True)
