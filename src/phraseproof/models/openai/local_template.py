"""The chat template of a tokenizer on this machine, for the endpoint completions, to which the server applies none."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from phraseproof.core import ChatMessage
from phraseproof.errors import MissingExtraError, ModelError
from phraseproof.identity import content_hash
from phraseproof.models.huggingface.chat_template import ChatTemplate
from phraseproof.models.options import ModelOptions

_PROBE = (ChatMessage("user", "probe"),)


class LocalTemplate:
    """Renders messages as the served model's own chat template does.

    A BOS token that the server's tokenizer adds by itself is left out of the text, so that it is not there twice.

    Args:
        name: the tokenizer's folder or hub id.
        options: `chat_template`, `chat_template_args` and `chat_date`.
        model: the model's name, for messages.

    Raises:
        ModelError: no such tokenizer, or one without a chat template.
        MissingExtraError: transformers is not installed.
    """

    def __init__(self, name: str, options: ModelOptions, *, model: str) -> None:
        if find_spec("transformers") is None:
            raise MissingExtraError("a tokenizer on this machine", extra="hf", package="transformers")
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(name, revision=options.revision)
        except (OSError, ValueError) as error:
            first = next(iter(str(error).splitlines()), "")
            raise ModelError(
                "the tokenizer cannot be loaded", got=first, where=f"--model-arg tokenizer={name}"
            ) from None
        self._template = ChatTemplate(tokenizer, options, model=model)
        if not self._template.exists:
            raise ModelError(
                "the tokenizer declares no chat template",
                where=f"--model-arg tokenizer={name}",
                hint="Give one with --chat-template FILE",
            )
        bos = tokenizer.bos_token or ""
        ids: list[int] = tokenizer(bos)["input_ids"] if bos else []
        self._added_bos = bos if ids.count(tokenizer.bos_token_id) > 1 else ""
        self._settings = {**self._template.settings, "chat_format": content_hash(self.format(_PROBE))}

    @property
    def settings(self) -> dict[str, str]:
        """What shapes prompts, for the model's identity."""
        return self._settings

    def format(self, messages: Sequence[ChatMessage]) -> str:
        """The text of a prompt, ending where the answer begins."""
        return self._template.format(messages).removeprefix(self._added_bos)

    def require_answer_position(self) -> None:
        """Refuse a template that lets the model think before it answers, unless that was requested."""
        self._template.require_answer_position()
