"""An adapter is measured with the tokenizer and the chat template that it was trained with."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from phraseproof.core import ChatMessage, Prompt
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models

CHAT = "{% for m in messages %}<|turn|>{{ m.content }}<|end|>{% endfor %}<|turn|>"
ADDED = ["<|turn|>", "<|end|>", *(f"<|x{index}|>" for index in range(14))]


def trained(folder: Path, *, added: bool, saves_embeddings: bool = True, template: bool = True) -> Any:
    """A LoRA adapter as a fine-tuning saves it, beside its tokenizer; gives back PEFT's own model."""
    import peft
    from transformers import AutoModelForCausalLM, AutoTokenizer

    base = tiny_models.tiny_llama()
    network, tokenizer = AutoModelForCausalLM.from_pretrained(base), AutoTokenizer.from_pretrained(base)
    if added:
        tokenizer.add_special_tokens({"additional_special_tokens": ADDED})
        torch.manual_seed(3)
        network.resize_token_embeddings(len(tokenizer))
    if template:
        tokenizer.chat_template = CHAT
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=4,
        target_modules=["q_proj", "v_proj"],
        init_lora_weights=False,
        modules_to_save=["embed_tokens", "lm_head"] if added and saves_embeddings else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(4)
        model = peft.get_peft_model(network, config)
        model.save_pretrained(str(folder), save_embedding_layers=added and saves_embeddings)
    tokenizer.save_pretrained(str(folder))
    return model.eval()


def load(folder: Path, **options: Any) -> HuggingFaceModel:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu", adapter=folder, **options))
    assert isinstance(model, HuggingFaceModel)
    return model


def by_peft(theirs: Any, context: tuple[int, ...], option: tuple[int, ...]) -> float:
    with torch.no_grad():
        logits = theirs(input_ids=torch.tensor([[*context, *option[:-1]]]), use_cache=False).logits[0]
    logprobs = torch.log_softmax(logits[len(context) - 1 :].double(), -1)
    return float(logprobs[range(len(option)), list(option)].sum())


def test_added_tokens_have_the_embeddings_of_the_training(tmp_path: Path) -> None:
    theirs = trained(tmp_path, added=True)
    model = load(tmp_path)
    text = model.format_chat([ChatMessage("user", "the red king")])
    assert text == "<|turn|>the red king<|end|><|turn|>"
    prompt = Prompt(text, ("A", "the heart of", "west"), "", has_special_tokens=True)
    (tokens,) = model.encode([prompt])
    base_size = len(load_model_tokenizer())
    assert sum(token >= base_size for token in tokens.context) == 3  # each added token is one token
    (scores,) = model.score_options([prompt])
    expected = [by_peft(theirs, tokens.context, option) for option in tokens.options]
    assert scores.logprobs == pytest.approx(expected, abs=1e-4)
    assert model.identity.settings["adapter_tokenizer"].startswith("16 added tokens and a chat template (")


def load_model_tokenizer() -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_models.tiny_llama())


def test_added_tokens_without_embeddings_are_refused(tmp_path: Path) -> None:
    trained(tmp_path, added=True, saves_embeddings=False)
    with pytest.raises(ModelError, match=r"tokens without embeddings.*modules_to_save"):
        load(tmp_path).score_options([Prompt("the red", ("A", "B"))])


def test_a_chat_template_alone_is_used_and_part_of_the_identity(tmp_path: Path) -> None:
    trained(tmp_path, added=False)
    model = load(tmp_path)
    assert model.has_chat_template
    first = model.identity.settings["adapter_tokenizer"]
    assert first.startswith("a chat template (")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "chat_template.jinja").write_text(CHAT + "!", encoding="utf-8")
    changed = load(tmp_path)
    assert changed.format_chat([ChatMessage("user", "x")]) == "<|turn|>x<|end|><|turn|>!"
    assert changed.identity.settings["adapter_tokenizer"] != first
    given = tmp_path / "mine.jinja"
    given.write_text("{{ messages[0].content }}", encoding="utf-8")
    assert load(tmp_path, chat_template=given).format_chat([ChatMessage("user", "x")]) == "x"


def test_the_base_models_own_tokenizer_changes_nothing(tmp_path: Path) -> None:
    trained(tmp_path, added=False, template=False)
    with_tokenizer = load(tmp_path).identity
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        (tmp_path / name).unlink(missing_ok=True)
    assert load(tmp_path).identity == with_tokenizer
    assert "adapter_tokenizer" not in with_tokenizer.settings


def test_another_models_tokenizer_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, added=False)
    content = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    first, second = list(vocabulary)[20:22]
    vocabulary[first], vocabulary[second] = vocabulary[second], vocabulary[first]
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ModelError, match="is not the base model's"):
        load(tmp_path)
