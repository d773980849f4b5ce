"""The vocabulary of a GGUF file, as llama.cpp reads it, in the shape of a transformers tokenizer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from phraseproof.models.llamacpp.library import LlamaLibrary

_SPECIAL = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}


class LlamaCppTokenizer:
    """What tokenising prompts and rendering chat templates asks of a tokenizer.

    Args:
        library: the file in llama.cpp.
        metadata: the file's.

    Attributes:
        chat_template: the file's, or `None`.
        bos_token_id, eos_token_id: by the file, or `None`.
    """

    def __init__(self, library: LlamaLibrary, metadata: Mapping[str, object]) -> None:
        self._library = library
        template = metadata.get("tokenizer.chat_template")
        self.chat_template = template if isinstance(template, str) else None
        self._ids = {
            name: value
            for name, key in _SPECIAL.items()
            if isinstance(value := metadata.get(f"tokenizer.ggml.{key}_token_id"), int)
        }
        self.bos_token_id = self._ids.get("bos_token")
        self.eos_token_id = self._ids.get("eos_token")

    def __call__(
        self,
        texts: str | Sequence[str],
        *,
        add_special_tokens: bool = True,
        return_attention_mask: bool = False,  # noqa: ARG002 - there is none
        verbose: bool = False,  # noqa: ARG002
    ) -> dict[str, list[int] | list[list[int]]]:
        """Token ids of a text, or of several, as `input_ids`."""
        if isinstance(texts, str):
            return {"input_ids": self._library.tokenize(texts, add_special=add_special_tokens)}
        return {"input_ids": [self._library.tokenize(text, add_special=add_special_tokens) for text in texts]}

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones included."""
        return b"".join(self._library.piece(token) for token in tokens).decode("utf-8", "replace")

    def get_chat_template(self) -> str | None:
        """The file's chat template."""
        return self.chat_template

    def apply_chat_template(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        chat_template: str | None,
        tokenize: bool,  # noqa: ARG002 - never asked for
        add_generation_prompt: bool,
        **arguments: object,
    ) -> str:
        """The template's text, by transformers' renderer."""
        from transformers.utils.chat_template_utils import render_jinja_template

        given: dict[str, Any] = {name: self.decode([token]) for name, token in self._ids.items()}
        given |= arguments
        rendered, _ = render_jinja_template(
            conversations=[list(map(dict, messages))],
            chat_template=chat_template,
            add_generation_prompt=add_generation_prompt,
            **given,
        )
        return rendered[0]
