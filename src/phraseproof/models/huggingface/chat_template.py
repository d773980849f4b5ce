"""Chat templates of Hugging Face tokenizers."""

from __future__ import annotations

from collections.abc import Sequence

from phraseproof.core import ChatMessage
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.tokenization import Tokenizer


def format_chat(tokenizer: Tokenizer, messages: Sequence[ChatMessage], *, model: str) -> str:
    """The tokenizer's own template's text, its special tokens included, ending where the answer begins.

    Args:
        model: the model's name, for messages.

    Raises:
        ModelError: no template, or one that cannot render these messages.
    """
    from jinja2 import TemplateError

    if not tokenizer.chat_template:
        raise ModelError(f"the model '{model}' has no chat template", hint="Use --prompt-format plain")
    try:
        text: str = tokenizer.apply_chat_template(
            [message._asdict() for message in messages], tokenize=False, add_generation_prompt=True
        )
    except (TemplateError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"the chat template of '{model}' cannot render the prompt", got=str(error)) from error
    return text
