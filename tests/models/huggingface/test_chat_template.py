"""A tokenizer's own chat template writes the prompt."""

from __future__ import annotations

import pytest

from phraseproof.core import ChatMessage
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.chat_template import format_chat
from support import tiny_models

TEMPLATE = (
    "{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}{% if add_generation_prompt %}answer={% endif %}"
)


def test_the_text_ends_where_the_answer_begins() -> None:
    tokenizer = tiny_models.llama_tokenizer(chat_template=TEMPLATE)
    messages = [ChatMessage("user", "2+2?"), ChatMessage("assistant", "4"), ChatMessage("user", "3+3?")]
    assert format_chat(tokenizer, messages, model="tiny") == "user=2+2?;assistant=4;user=3+3?;answer="


def test_no_template_is_said_with_the_models_name() -> None:
    with pytest.raises(ModelError, match="'tiny' has no chat template"):
        format_chat(tiny_models.llama_tokenizer(), [ChatMessage("user", "?")], model="tiny")
