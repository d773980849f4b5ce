"""llama.cpp's tokens and rendered chats equal those of transformers on the same file."""

from __future__ import annotations

from pathlib import Path

import pytest

from phraseproof.core import ChatMessage
from phraseproof.models import ModelOptions, load_model, smollm2
from phraseproof.models.llamacpp import LlamaCppModel
from support import real_models, tiny_gguf
from support.llama_cpp import needs_llama_cpp

pytestmark = [pytest.mark.real, needs_llama_cpp, pytest.mark.xdist_group("smollm2")]

TEXTS = [
    "Question: what is 12 + 7?\n(A) 19\n(B)  23\nAnswer:",
    "a  57\n 7\t\n\n  end ",
    "Größe, naïve, 北京, \u200b, \U0001f600 and e\u0301",
    "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
    "don't I'LL we've",
    " leading",
]


def load(path: Path) -> LlamaCppModel:
    model = load_model(f"llamacpp/{path}", ModelOptions(args={"threads": "1"}))
    assert isinstance(model, LlamaCppModel)
    return model


def test_tokens_of_the_real_model() -> None:
    theirs = real_models.smollm2().tokenizer
    ours = load(smollm2.file()).tokenizer
    assert ours(TEXTS)["input_ids"] == theirs(TEXTS)["input_ids"]
    tokens = ours(TEXTS[2])["input_ids"]
    assert ours.decode([token for token in tokens if isinstance(token, int)]) == TEXTS[2]
    assert (ours.bos_token_id, ours.eos_token_id) == (theirs.bos_token_id, theirs.eos_token_id) == (1, 2)


def test_chats_of_the_real_model() -> None:
    messages = [ChatMessage("user", "yes?"), ChatMessage("assistant", "no"), ChatMessage("user", "why")]
    assert load(smollm2.file()).format_chat(messages) == real_models.smollm2().format_chat(messages)


def test_a_tiny_files(tmp_path: Path) -> None:
    tiny_gguf.write(tmp_path / "tiny.gguf")
    ours = load(tmp_path / "tiny.gguf").tokenizer
    for text in ("which river is red?", "two  lights\n"):
        assert ours(text, add_special_tokens=False)["input_ids"] == tiny_gguf.tokenizer()(text)["input_ids"]
    assert ours.get_chat_template() == tiny_gguf.CHAT
