"""Adapters: our passes with one equal PEFT's own forward, and the base weights stay as they were."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from phraseproof.core import Prompt
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import adapter_audit, architecture_table, tiny_models

FAMILIES = {"t5": tiny_models.tiny_t5, "llama": tiny_models.tiny_llama}


def network_of(folder: Path) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    family = AutoModelForSeq2SeqLM if AutoConfig.from_pretrained(folder).is_encoder_decoder else AutoModelForCausalLM
    return family.from_pretrained(folder).eval()


def peft_config(kind: str, family: str) -> Any:
    import peft

    task = "SEQ_2_SEQ_LM" if family == "t5" else "CAUSAL_LM"
    match kind:
        case "prompt":
            return peft.PromptTuningConfig(task_type=task, num_virtual_tokens=5)
        case "encoder":
            return peft.PromptEncoderConfig(task_type=task, num_virtual_tokens=5, encoder_hidden_size=16)
        case "prefix":
            return peft.PrefixTuningConfig(task_type=task, num_virtual_tokens=5)
        case _:
            modules = ["q", "v"] if family == "t5" else ["q_proj", "v_proj"]
            return peft.LoraConfig(task_type=task, r=4, target_modules=modules)


def adapter(kind: str, family: str, folder: Path, base: Path | None = None) -> Any:
    """Save an adapter with weights that do something; give back PEFT's own model."""
    from peft import get_peft_model

    torch.manual_seed(5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = get_peft_model(network_of(base or FAMILIES[family]()), peft_config(kind, family))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.copy_(torch.randn_like(parameter) * 0.3)
        model.save_pretrained(str(folder))
    return model.eval()


def prompts() -> list[Prompt]:
    found: list[Prompt] = []
    for sentence in tiny_models.sentences(3, seed=31):
        body = sentence.rsplit(" ", 1)[0]
        found += [Prompt(body, ("A", "B", "C")), Prompt("Now. " + body, ("red green", "the heart of", "west"))]
    return found


def load(family: str, folder: Path | None, **options: Any) -> HuggingFaceModel:
    model = load_model(str(FAMILIES[family]()), ModelOptions(device="cpu", adapter=folder, **options))
    assert isinstance(model, HuggingFaceModel)
    return model


def by_peft(theirs: Any, model: HuggingFaceModel, prompt: Prompt) -> list[float]:
    (encoded,) = model.encode([prompt])
    values: list[float] = []
    for option in encoded.options:
        with torch.no_grad():
            if theirs.config.is_encoder_decoder:
                read = torch.tensor([encoded.context])
                logits = theirs(
                    input_ids=read, attention_mask=torch.ones_like(read), labels=torch.tensor([option])
                ).logits[0]
            else:
                read = torch.tensor([encoded.context + option])
                logits = theirs(input_ids=read, attention_mask=torch.ones_like(read)).logits[0, -len(option) - 1 : -1]
        logprobs = torch.log_softmax(logits.double(), -1)
        values.append(float(logprobs[range(len(option)), option].sum()))
    return values


MATRIX = {
    "llama": False, "gemma2": False, "phi3/longrope": False, "bloom": False, "jetmoe": False, "falcon": False,
    "recurrent_gemma": False, "lfm2": False, "t5": True, "bart": True, "fsmt": True,
}  # fmt: skip
"""One architecture of each way to score and each kind of cache, and whether it is an encoder-decoder. All of them are
tried by `python -m support.architecture_table`."""


@pytest.mark.parametrize("name", MATRIX)
def test_adapters_of_an_architecture_score_as_the_table_says(name: str) -> None:
    found = adapter_audit.audit_adapters(name, encoder_decoder=MATRIX[name])
    recorded = architecture_table.table()[name].adapters
    assert {kind: audit.result for kind, audit in found.items()} == recorded, "docs/architectures.md is old"
    assert all("\n" not in audit.refused for audit in found.values())


def test_every_adapter_of_the_table_agrees_or_is_refused() -> None:
    for name, row in architecture_table.table().items():
        allowed = {""} if row.refused else {"yes", "PEFT refuses", "refused"}
        assert set(row.adapters.values()) <= allowed, name


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["prompt", "encoder", "prefix", "lora"])
def test_scores_equal_pefts_own_forward(kind: str, family: str, tmp_path: Path) -> None:
    theirs = adapter(kind, family, tmp_path)
    model = load(family, tmp_path)
    base = load(family, None).score_options(prompts())
    adapted = model.score_options(prompts())
    for prompt, scores, plain in zip(prompts(), adapted, base, strict=True):
        assert scores.logprobs == pytest.approx(by_peft(theirs, model, prompt), abs=1e-4)
        assert scores.logprobs != pytest.approx(plain.logprobs, abs=1e-3)
    virtual = 5 if kind in {"prompt", "encoder"} else 0  # a prefix is not computed: it is there
    if family == "t5":  # where every prompt has an encoding of its own
        virtual *= len(prompts())
    computed = sum(scores.computed_tokens for scores in adapted)
    assert computed == sum(scores.computed_tokens for scores in base) + virtual
    assert load(family, tmp_path).forecast_tokens(prompts()).unique == computed
    attached = model.weights.adapter
    assert attached is not None
    with attached.off():
        for scores, plain in zip(model.score_options(prompts()), base, strict=True):
            assert scores.logprobs == pytest.approx(plain.logprobs, abs=1e-4)
    assert all(check.passed for check in model.self_test(prompts()))
    assert "adapter active" in [check.name for check in model.self_test(prompts())]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_a_greedy_path_with_a_soft_prompt_equals_pefts_generate(kind: str, family: str, tmp_path: Path) -> None:
    theirs = adapter(kind, family, tmp_path)
    model = load(family, tmp_path)
    prompt = prompts()[1]
    bos = model.tokenizer.bos_token_id
    options = [[token for token in model.tokenizer(option).input_ids if token != bos] for option in prompt.options]
    read = model.tokenizer(prompt.text, return_tensors="pt").input_ids
    steps = min(map(len, options))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = theirs.generate(
            input_ids=read,
            attention_mask=torch.ones_like(read),
            max_new_tokens=steps,
            do_sample=False,
            output_scores=True,
            return_dict_in_generate=True,
        )
    logprobs = [torch.log_softmax(scores[0].double(), -1) for scores in run.scores]
    expected = [sum(float(step[ids[index]]) for index, step in enumerate(logprobs)) for ids in options]
    scored = model.score_options(prompts(), method="paper")[1]
    assert scored.logprobs == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_virtual_tokens_take_room_in_the_context(kind: str, tmp_path: Path) -> None:
    adapter(kind, "llama", tmp_path)
    long = Prompt("red " * 60, ("A", "B"))
    cut = load("llama", tmp_path, max_length=30).score_options([long])[0].truncated
    assert cut == load("llama", None, max_length=30).score_options([long])[0].truncated + 5


@pytest.mark.parametrize("kind", ["prompt", "prefix", "lora"])
def test_the_base_weights_stay_untouched(kind: str, tmp_path: Path) -> None:
    adapter(kind, "t5", tmp_path)
    model = load("t5", tmp_path)
    model.score_options(prompts())
    stored = load_file(tiny_models.tiny_t5() / "model.safetensors")
    live = {name.replace(".base_layer", ""): value for name, value in model.network.state_dict().items()}
    for name, value in stored.items():
        assert torch.equal(live[name], value), name


def test_identity_follows_the_adapters_bytes(tmp_path: Path) -> None:
    adapter("prompt", "t5", tmp_path)
    first = load("t5", tmp_path).identity
    assert first.adapter
    assert load("t5", None).identity.adapter is None
    file = tmp_path / "adapter_model.safetensors"
    tensors = load_file(file)
    save_file({name: value + 1 for name, value in tensors.items()}, file)
    assert load("t5", tmp_path).identity.adapter != first.adapter


def test_an_adapter_that_does_nothing_fails_the_self_test(tmp_path: Path) -> None:
    adapter("lora", "llama", tmp_path)
    file = tmp_path / "adapter_model.safetensors"
    save_file({name: torch.zeros_like(value) for name, value in load_file(file).items()}, file)
    checks = {check.name: check for check in load("llama", tmp_path).self_test(prompts())}
    assert not checks["adapter active"].passed
    assert checks["batch invariance"].passed


def test_adapters_that_cannot_be_used(tmp_path: Path) -> None:
    adapter("prompt", "t5", tmp_path / "other")
    config = tmp_path / "other" / "adapter_config.json"
    known = json.loads(config.read_text())
    kept = ("base_model_name_or_path", "task_type", "num_virtual_tokens", "token_dim", "num_layers", "inference_mode")
    changed = {name: known[name] for name in kept} | {"peft_type": "MULTITASK_PROMPT_TUNING"}
    config.write_text(json.dumps(changed))
    with pytest.raises(ModelError, match="MULTITASK_PROMPT_TUNING are not supported yet"):
        load("t5", tmp_path / "other")
    with pytest.raises(ModelError, match="is not an adapter folder"):
        load("t5", tmp_path / "nothing")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "adapter_config.json").write_text("{")
    with pytest.raises(ModelError, match=r"adapter_config\.json: cannot be read: not valid JSON"):
        load("t5", tmp_path / "broken")
    adapter("prompt", "t5", tmp_path / "bare")
    (tmp_path / "bare" / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights in safetensors"):
        load("t5", tmp_path / "bare")


@pytest.mark.parametrize("kind", ["prompt", "prefix", "lora"])
def test_an_adapter_made_for_another_base_is_one_line(kind: str, tmp_path: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_models.llama_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=8, num_hidden_layers=2, num_attention_heads=4
    )
    base = tiny_models.save(LlamaForCausalLM(config), tokenizer, "narrow-llama")
    adapter(kind, "llama", tmp_path, base=base)
    with pytest.raises(ModelError, match=r"--adapter: the adapter .* (another base model|does not fit)") as caught:
        load("llama", tmp_path).score_options(prompts())
    assert "\n" not in str(caught.value)
    assert "narrow-llama" in str(caught.value)


@pytest.mark.parametrize("kind", ["prompt", "prefix", "lora"])
def test_an_adapter_for_the_other_family_is_one_line_before_anything_is_loaded(kind: str, tmp_path: Path) -> None:
    # The tiny models are equally wide, so a soft prompt of one would fit the other.
    adapter(kind, "t5", tmp_path)
    expected = r"another kind of model \(expected the task type CAUSAL_LM, .* got SEQ_2_SEQ_LM, for an encoder-decoder"
    with pytest.raises(ModelError, match=expected):
        load("llama", tmp_path)


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
@pytest.mark.parametrize("count", [3, -1, 10**9])
def test_a_count_of_virtual_tokens_unlike_the_tensors_rows_is_refused(kind: str, count: int, tmp_path: Path) -> None:
    adapter(kind, "llama", tmp_path)
    path = tmp_path / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "num_virtual_tokens": count}))
    with pytest.raises(ModelError, match=r"configuration and its weights disagree .*num_virtual_tokens to be 5"):
        load("llama", tmp_path).score_options(prompts()[:1])
