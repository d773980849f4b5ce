from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from phraseproof.core import Prompt
from phraseproof.errors import MissingExtraError, ModelError, PhraseproofError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models
from support.hub_cache import COMMIT, add_to_cache, use_cache

PROMPTS = [Prompt("Which?", ("A", "B"))]


def load(folder: Path | str, **options: Any) -> HuggingFaceModel:
    options.setdefault("device", "cpu")
    model = load_model(str(folder), ModelOptions(**options))
    assert isinstance(model, HuggingFaceModel)
    return model


def copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target


def said(error: pytest.ExceptionInfo[PhraseproofError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_untied_head_survives_loading() -> None:
    folder = tiny_models.tiny_t5()
    stored = load_file(folder / "model.safetensors")
    model = load(folder)
    model.score_options(PROMPTS)
    network = model.network
    live = network.state_dict()
    assert torch.equal(live["lm_head.weight"], stored["lm_head.weight"])
    assert torch.equal(live["shared.weight"], stored["shared.weight"])
    assert not torch.equal(live["lm_head.weight"], live["shared.weight"])
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_a_tied_head_is_tied() -> None:
    network = load(tiny_models.tiny_t5(tied=True)).network
    assert network.lm_head.weight.data_ptr() == network.shared.weight.data_ptr()


def test_precision_by_name() -> None:
    assert load(tiny_models.tiny_llama()).identity.dtype == "float32"
    for options in ({"dtype": "bfloat16"}, {"args": {"dtype": "bfloat16"}}):
        model = load(tiny_models.tiny_llama(), **options)
        assert model.identity.dtype == "bfloat16"
        assert model.network.dtype == torch.bfloat16
        assert all(check.passed for check in model.self_test(PROMPTS))


def test_on_a_cpu_auto_is_float32_whatever_the_checkpoint_says(tmp_path: Path) -> None:
    folder = copied(tiny_models.tiny_llama(), tmp_path)
    tiny_models.rewrite_config(folder, lambda config: config.update(dtype="bfloat16"))
    assert load(folder).identity.dtype == "float32"


def test_revision_follows_what_matters_and_nothing_else(tmp_path: Path) -> None:
    folder = copied(tiny_models.tiny_llama(), tmp_path / "one")
    first = load(folder).identity
    assert load(copied(folder, tmp_path / "two")).identity.revision == first.revision
    (folder / "README.md").write_text("about")
    (folder / "trainer_state.json").write_text("{}")
    assert load(folder).identity == first
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    tensors["model.norm.weight"] = tensors["model.norm.weight"] + 1
    save_file(tensors, weights, metadata={"format": "pt"})
    changed = load(folder).identity
    assert changed.revision != first.revision
    (folder / "generation_config.json").write_text('{"repetition_penalty": 1.5}')
    assert load(folder).identity.revision != changed.revision


def test_the_revision_of_a_hub_id_is_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = use_cache(monkeypatch, tmp_path)
    other = "0" * 40
    for commit in (other, COMMIT):  # the branch moves
        add_to_cache(cache, "org/tiny", tiny_models.tiny_llama(), commit=commit)
    assert load("org/tiny").identity.revision == COMMIT
    assert load("org/tiny", revision=other).identity.revision == other


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("./nowhere", "no folder './nowhere'"),
        ("models/of/mine", "no folder 'models/of/mine'"),
        ("google/flan-t5-base", "the Hugging Face hub cannot be reached"),
        ("no such model", "neither a folder nor on the hub"),
        ("  ", "the model's name is empty"),
    ],
)
def test_names_that_lead_nowhere(name: str, words: str) -> None:
    with pytest.raises(PhraseproofError) as caught:
        load(name)
    assert words in said(caught)


def test_folders_that_hold_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        load(tmp_path)
    assert "is not a model folder (expected a config.json, got none there)" in said(caught)
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="This is an adapter"):
        load(tmp_path)
    for missing, words in (("model.safetensors", "weights"), ("tokenizer.json", "a tokenizer")):
        folder = copied(tiny_models.tiny_t5(), tmp_path / missing)
        (folder / missing).unlink()
        with pytest.raises(ModelError, match=f"is not a model folder .expected {words}"):
            load(folder)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("{", "config.json: cannot be read: not valid JSON"),
        ("{}", "cannot read the configuration"),
        ('{"model_type": "zork"}', "does not recognize this architecture"),
    ],
)
def test_configurations_that_cannot_be_read(config: str, words: str, tmp_path: Path) -> None:
    folder = copied(tiny_models.tiny_llama(), tmp_path)
    (folder / "config.json").write_text(config)
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert words in said(caught)


@pytest.mark.parametrize("name", ["questions.csv", "model.safetensors", "./model.safetensors"])
def test_a_file_in_place_of_a_model_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text("text,label\n")
    with pytest.raises(ModelError, match=f"the file '{name}' is not a model folder. Check the path"):
        load(name)


def test_remote_code_is_not_run_unless_asked_for(tmp_path: Path) -> None:
    folder = copied(tiny_models.tiny_llama(), tmp_path)
    mark = tmp_path / "was-run"
    (folder / "own.py").write_text(f"open({str(mark)!r}, 'w')\nclass C: pass\n")
    own = {"model_type": "own", "auto_map": {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"}}
    (folder / "config.json").write_text(json.dumps(own))
    with pytest.raises(ModelError, match="needs code that its repository ships") as caught:
        load(folder)
    assert "trust_remote_code=true" in said(caught)
    assert not mark.exists()


def test_weights_that_cannot_be_used(tmp_path: Path) -> None:
    damaged = copied(tiny_models.tiny_llama(), tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"not weights at all" * 9)
    with pytest.raises(ModelError, match="cannot read the weights") as caught:
        load(damaged).score_options(PROMPTS)
    said(caught)

    headless = copied(tiny_models.tiny_llama(), tmp_path / "headless")
    tensors = load_file(headless / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, headless / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"weights of .* are incomplete .*none for lm_head.weight"):
        load(headless).score_options(PROMPTS)

    other = copied(tiny_models.tiny_llama(), tmp_path / "other")
    tiny_models.rewrite_config(other, lambda config: config.update(hidden_size=64))
    with pytest.raises(ModelError, match=r"do not have the shapes .*other shapes for lm_head.weight") as caught:
        load(other).score_options(PROMPTS)
    said(caught)


def test_weights_that_a_configuration_does_not_describe_are_named(tmp_path: Path) -> None:
    folder = copied(tiny_models.tiny_llama(), tmp_path)
    stored = load_file(folder / "model.safetensors")
    extra = {
        "model.layers.7.mlp.up_proj.weight": torch.ones(2, 2),
        "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4),
    }
    save_file({**stored, **extra}, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"config\.json") as error:
        load(folder).score_options(PROMPTS)
    assert "model.layers.7.mlp.up_proj.weight" in said(error)
    assert "inv_freq" not in said(error), "every network computes it by itself"


def test_a_model_of_neither_family(tmp_path: Path) -> None:
    folder = copied(tiny_models.tiny_llama(), tmp_path)
    (folder / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(ModelError, match=r"not a language model that can score text .*the type vit"):
        load(folder)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dtype": "int7"}, "unknown dtype 'int7' (expected one of: auto, float32"),
        ({"device": "toaster"}, "the device 'toaster' cannot be used here"),
        ({"args": {"dtyp": "float32"}}, "unknown model argument 'dtyp'"),
        ({"args": {"batch_size": "many"}}, "'batch_size' must be a whole number above zero"),
        ({"args": {"max_length": "0"}}, "'max_length' must be a whole number above zero"),
        ({"args": {"trust_remote_code": "maybe"}}, "must be true or false"),
        ({"batch_size": 0}, "--batch-size: must be above zero (got 0)"),
        ({"adapter": Path("nowhere")}, "'nowhere' is not an adapter folder"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], words: str) -> None:
    with pytest.raises((UsageError, ModelError)) as caught:
        load(tiny_models.tiny_llama(), **options)
    assert words in said(caught)


def test_no_torch_is_one_line_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_models.tiny_llama()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"needs the package torch.*phraseproof\[hf\]"):
        load(folder)


def test_arguments_win_over_fields() -> None:
    args = {"max_length": "40", "batch_size": "auto", "attn_implementation": "eager", "device": "cpu"}
    model = load(tiny_models.tiny_llama(), max_length=9, batch_size=1, args=args)
    assert model.identity.settings == {"max_length": "40", "attn_implementation": "eager"}
    expected = load(tiny_models.tiny_llama()).score_options(PROMPTS)
    assert model.score_options(PROMPTS)[0].logprobs == pytest.approx(expected[0].logprobs, abs=1e-4)
    assert model.network.config._attn_implementation == "eager"


@pytest.mark.parametrize("name", ["llava", "mistral3", "qwen2_vl", "qwen2_5_vl", "idefics3", "qwen2_audio"])
def test_models_of_images_or_sound_without_a_class_for_text_are_refused_by_name(name: str, tmp_path: Path) -> None:
    from transformers import CONFIG_MAPPING

    config: Any = CONFIG_MAPPING[name]()
    config.save_pretrained(tmp_path)
    for file in ("model.safetensors", "tokenizer.json"):
        (tmp_path / file).touch()
    with pytest.raises(ModelError, match=f"the type {name}.*save its text decoder as a separate model") as caught:
        load_model(str(tmp_path), ModelOptions(device="cpu"))
    assert "\n" not in str(caught.value)
