"""The interface of models that can be trained: their network, their tokens and their limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from phraseproof.core import ChatMessage, ModelIdentity, Prompt
from phraseproof.engine.network import Network
from phraseproof.models.huggingface.tokenization import Tokenizer

if TYPE_CHECKING:
    from phraseproof.models.huggingface.tokenization import PromptTokens


class ModelToTrain(Protocol):
    """A language model whose network can be trained, or whose prompts can be tokenised for training.

    `HuggingFaceModel` implements it. Only `network` loads the weights.
    """

    @property
    def identity(self) -> ModelIdentity:
        """The model's name, revision and settings, for the record of a training."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The Hugging Face tokenizer."""
        ...

    @property
    def network(self) -> Network:
        """The transformers model, with plain linear layers."""
        ...

    def read_again(self) -> ModelToTrain:
        """The same model, whose weights are read again when they are needed."""
        ...

    @property
    def dtype(self) -> str:
        """The precision of the weights, by name."""
        ...

    @property
    def device(self) -> str:
        """The device of the weights, as torch names it."""
        ...

    @property
    def is_decoder_only(self) -> bool:
        """Whether prompt and answer are one sequence of tokens; else the model is an encoder-decoder."""
        ...

    @property
    def context_limit(self) -> int | None:
        """The largest number of input tokens, or `None` without a limit."""
        ...

    @property
    def pad_id(self) -> int:
        """A token to pad with; any token is suitable, because padding is masked."""
        ...

    @property
    def has_chat_template(self) -> bool:
        """Whether the tokenizer has a chat template."""
        ...

    def format_chat(self, messages: Sequence[ChatMessage]) -> str:
        """The text of the chat template, up to where the answer begins."""
        ...

    def encode(self, prompts: Sequence[Prompt]) -> list[PromptTokens]:
        """The tokens that scoring would read."""
        ...
