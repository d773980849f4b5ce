"""Chat templates on this machine for completions: equal prompts and equal scores as the same model here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phraseproof.core import ChatMessage, FormatsChat, Prompt, ScoresOptions
from phraseproof.errors import ModelError, UsageError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.openai.local_template import LocalTemplate
from support import tiny_models
from support.openai_server import Answer, Asked, Reply, serve

CHAT = (
    "{{ bos_token }}{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
MESSAGES = (ChatMessage("system", "Be brief."), ChatMessage("user", "Which river is red?"))


def echo_of(folder: Path) -> Answer:
    """A server that tokenizes with special tokens, as vLLM does with prompts of completions."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # Loaded here, because the server answers in several threads, and loading is not safe in threads.
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    network: Any = AutoModelForCausalLM.from_pretrained(folder)

    def answer(asked: Asked) -> Reply:
        ids = tokenizer(asked.body["prompt"])["input_ids"]
        with torch.inference_mode():
            logprobs = network(input_ids=torch.tensor([ids])).logits[0].log_softmax(-1)
        values = [None, *(float(logprobs[place, token]) for place, token in enumerate(ids[1:]))]
        tokens = tokenizer.convert_ids_to_tokens(ids)
        return Reply({"choices": [{"text": "", "logprobs": {"tokens": tokens, "token_logprobs": values}}]})

    return answer


def test_scores_of_chat_prompts_are_those_of_the_same_model_in_this_process() -> None:
    folder = tiny_models.tiny_llama(chat_template=CHAT)
    local = load_model(str(folder), ModelOptions(dtype="float32", device="cpu"))
    assert isinstance(local, ScoresOptions)
    assert isinstance(local, FormatsChat)
    with serve(echo_of(folder)) as served:
        args = {"base_url": served.base_url, "endpoint": "completions", "tokenizer": str(folder)}
        model = load_model("openai/m", ModelOptions(args=args))
        assert isinstance(model, ScoresOptions)
        assert isinstance(model, FormatsChat)
        assert model.has_chat_template
        prompts = [
            Prompt(each.format_chat(MESSAGES), ("the north", "stone"), "", has_special_tokens=True)
            for each in (model, local)
        ]
        (found,) = model.score_options(prompts[:1])
        sent = served.asked[0].body["prompt"]
    (expected,) = local.score_options(prompts[1:])
    assert found.logprobs == pytest.approx(expected.logprobs, abs=1e-4)
    assert found.prompt_tokens == expected.prompt_tokens  # one BOS, not two
    assert "<|system|>Be brief." in sent
    assert set(model.identity.settings) == {"base_url", "endpoint", "chat_format"}


def test_the_template_is_part_of_the_identity(tmp_path: Path) -> None:
    folder = tiny_models.tiny_llama(chat_template=CHAT)
    other = tmp_path / "other.jinja"
    other.write_text("{% for message in messages %}{{ message['content'] }}{% endfor %}!")
    own = LocalTemplate(str(folder), ModelOptions(), model="m")
    given = LocalTemplate(str(folder), ModelOptions(chat_template=other), model="m")
    assert given.format(MESSAGES[1:]) == "Which river is red?!"
    assert own.settings["chat_format"] != given.settings["chat_format"]


def test_what_cannot_be_rendered_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="declares no chat template"):
        LocalTemplate(str(tiny_models.tiny_gpt2()), ModelOptions(), model="m")
    with pytest.raises(ModelError, match=r"--model-arg tokenizer=.*the tokenizer cannot be loaded"):
        LocalTemplate(str(tmp_path), ModelOptions(), model="m")
    with pytest.raises(UsageError, match="decides that by itself"):
        load_model("openai/m", ModelOptions(chat_template=tmp_path / "x", args={"base_url": "http://localhost/v1"}))


def test_plain_prompts_are_loud(tmp_path: Path) -> None:
    from phraseproof.core import ChoosesMethod

    plain = {"base_url": "http://localhost/v1", "endpoint": "completions", "echo": "echo"}
    model = load_model("openai/m", ModelOptions(args=plain))
    assert isinstance(model, ChoosesMethod)
    assert "PROMPTS ARE PLAIN TEXT" in model.choose_method("loglikelihood", [])[2][0]
    folder = tiny_models.tiny_llama(chat_template=CHAT)
    rendered = load_model("openai/m", ModelOptions(args={**plain, "tokenizer": str(folder)}))
    assert isinstance(rendered, ChoosesMethod)
    assert rendered.choose_method("loglikelihood", []).notes == ()
