"""Soft prompts: what they begin with, and that what is saved is an ordinary PEFT adapter with the same logits."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.core import Prompt
from phraseproof.engine.training.forward import TargetForward, TargetRow
from phraseproof.errors import ModelError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

FOLDERS = {
    "t5": tiny_models.tiny_t5,
    "bart": tiny_models.tiny_bart,
    "llama": tiny_models.tiny_llama,
    "gpt2": tiny_models.tiny_gpt2,
    "gemma2": tiny_models.tiny_gemma2,
}


def model_of(family: str, adapter: Path | None = None) -> HuggingFaceModel:
    model = load_model(str(FOLDERS[family]()), ModelOptions(device="cpu", adapter=adapter))
    assert isinstance(model, HuggingFaceModel)
    return model


def create(model: HuggingFaceModel, **changed: Any) -> SoftPrompt:
    settings: dict[str, Any] = {"n": 4, "placement": "input", "init": "random-vocabulary", "seed": 3} | changed
    return SoftPrompt.create(model.network, tokenizer=model.tokenizer, **settings)


def stirred(soft: SoftPrompt) -> SoftPrompt:
    """The same with other weights, as after training."""
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for parameter in soft.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return soft


def peft_logits(model: HuggingFaceModel, folder: Path, row: TargetRow) -> torch.Tensor:
    """Target logits [target tokens, vocabulary] of PEFT's own model, one row without padding."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    base = AutoModelForCausalLM if model.is_decoder_only else AutoModelForSeq2SeqLM
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = base.from_pretrained(
            json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
        )
        theirs: Any = PeftModel.from_pretrained(network, str(folder)).eval()
        with torch.no_grad():
            if model.is_decoder_only:
                ids = torch.tensor([row.context + row.target])
                logits = theirs(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
                return logits[-len(row.target) - 1 : -1]
            ids = torch.tensor([row.context])
            labels = torch.tensor([row.target])
            return theirs(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).logits[0]


@pytest.mark.parametrize("placement", ["input", "layers"])
@pytest.mark.parametrize("family", FOLDERS)
def test_peft_and_our_scoring_load_what_is_saved_and_say_the_same(family: str, placement: str, tmp_path: Path) -> None:
    model = model_of(family)
    soft = stirred(create(model, placement=placement))
    soft.save(tmp_path, str(FOLDERS[family]()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]
    forward = TargetForward(model.network, joined=model.is_decoder_only, pad_id=model.pad_id, soft=soft)
    rows = [TargetRow(tuple(range(5, 17)), (9, 31)), TargetRow(tuple(range(40, 47)), (12, 13))]
    ours = forward(rows).logits
    for row, logits in zip(rows, ours, strict=True):
        assert logits.detach().numpy() == pytest.approx(peft_logits(model, tmp_path, row).numpy(), abs=1e-4)

    prompts = [Prompt(text, ("A", "the red bread")) for text in tiny_models.sentences(3, seed=8)]
    for prompt, scores in zip(prompts, model_of(family, tmp_path).score_options(prompts), strict=True):
        (encoded,) = model.encode([prompt])
        for option, logprob in zip(encoded.options, scores.logprobs, strict=True):
            (logits,) = forward([TargetRow(tuple(encoded.context), option)]).logits
            picked = torch.log_softmax(logits, -1)[range(len(option)), option]
            assert logprob == pytest.approx(float(picked.sum().detach()), abs=1e-4)


@pytest.mark.parametrize("placement", ["input", "layers"])
def test_an_adapter_is_begun_with_where_it_left_off(placement: str, tmp_path: Path) -> None:
    model = model_of("t5")
    soft = stirred(create(model, placement=placement))
    soft.save(tmp_path, "base")
    again = create(model, placement=placement, init=str(tmp_path))
    again.save(tmp_path / "again", "base")
    file = "adapter_model.safetensors"
    before, after = load_file(tmp_path / file), load_file(tmp_path / "again" / file)
    assert list(before) == list(after) == ["prompt_embeddings"]
    assert torch.equal(before["prompt_embeddings"], after["prompt_embeddings"])
    with pytest.raises(ModelError, match=r"expected 7 virtual tokens, got 4.*--num-tokens 4"):
        create(model, n=7, placement=placement, init=str(tmp_path))
    other = "layers" if placement == "input" else "input"
    with pytest.raises(ModelError, match="another place"):
        create(model, placement=other, init=str(tmp_path))


def test_lora_is_not_a_soft_prompt_to_begin_with(tmp_path: Path) -> None:
    import peft

    model = model_of("t5")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network: Any = peft.get_peft_model(
            model_of("t5").network, peft.LoraConfig(task_type="SEQ_2_SEQ_LM", target_modules=["q"])
        )
        network.save_pretrained(str(tmp_path))
    with pytest.raises(ModelError, match="not a soft prompt"):
        create(model, init=str(tmp_path))


def test_every_decoder_layer_of_an_encoder_decoder_has_its_own_prefix() -> None:
    model = model_of("t5")
    soft = create(model, placement="layers")
    forward = TargetForward(model.network, joined=False, pad_id=model.pad_id, soft=soft)
    forward([TargetRow((5, 6, 7), (8, 9))]).logits.square().sum().backward()
    assert soft.transform is not None
    gradient = list(soft.transform.parameters())[-1].grad  # the bias: [layers * 2 * width]
    assert gradient is not None
    assert all(float(part.abs().sum()) > 0 for part in gradient.view(2, 2, -1)[:, 1])  # each layer's values


def test_random_rows_come_from_the_ordinary_vocabulary_and_follow_the_seed() -> None:
    model = model_of("llama")
    embeddings = model.network.get_input_embeddings().weight
    soft = create(model, n=50)
    assert soft.weight.shape == (50, 32)
    ids = [int((embeddings == row).all(dim=1).nonzero()[0]) for row in soft.weight]
    assert not set(ids) & set(model.tokenizer.all_special_ids)
    assert len(set(ids)) > 30
    assert torch.equal(soft.weight, create(model, n=50).weight)
    assert not torch.equal(soft.weight, create(model, n=50, seed=4).weight)


def test_a_text_is_repeated_or_cut_to_length() -> None:
    model = model_of("t5")
    ids = model.tokenizer("red bread", add_special_tokens=False)["input_ids"]
    rows = model.network.get_input_embeddings().weight[ids]
    soft = create(model, n=len(ids) + 1, init="red bread")
    assert torch.equal(soft.weight, torch.cat([rows, rows[:1]]))
    assert torch.equal(create(model, n=1, init="red bread").weight, rows[:1])


def test_creating_leaves_the_network_and_the_callers_random_numbers_alone() -> None:
    model = model_of("t5")
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = create(model, placement="layers")
    assert torch.equal(torch.rand(3), expected)
    second = create(model, placement="layers")
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    assert all(torch.equal(value, before[name]) for name, value in model.network.state_dict().items())


def test_saving_leaves_other_files_and_can_be_repeated(tmp_path: Path) -> None:
    model = model_of("t5")
    (tmp_path / "training.jsonl").write_text("kept")
    soft = create(model)
    soft.save(tmp_path, "some/base")
    stirred(soft).save(tmp_path, "some/base")
    assert (tmp_path / "training.jsonl").read_text() == "kept"
    assert torch.equal(load_file(tmp_path / "adapter_model.safetensors")["prompt_embeddings"], soft.weight)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "some/base"
    assert config["num_virtual_tokens"] == 4
    assert config["peft_type"] == "PROMPT_TUNING"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"placement": "middle"}, "unknown placement 'middle'"),
        ({"n": 0}, "expected 1 or more, got 0"),
        ({"init": " "}, "has no tokens"),
        ({"init": "./no/such/adapter"}, "no adapter folder './no/such/adapter'"),
    ],
)
def test_what_cannot_be_begun_with_is_one_line(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        create(model_of("t5"), **changed)


def test_a_recurrent_model_takes_no_prefix() -> None:
    model = load_model(str(tiny_models.tiny_mamba()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    with pytest.raises(ModelError, match="expected an ordinary key-value cache"):
        create(model, placement="layers")
