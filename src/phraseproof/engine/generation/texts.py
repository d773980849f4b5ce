"""What is written: texts with their contexts, and what writes them token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch

from phraseproof.engine.generation.slot_cache import SharedBeginning
from phraseproof.engine.plan.request import Request


class PlannedText(NamedTuple):
    """A text that is going to be written.

    Attributes:
        request: its context; with `shared` and `kept`, as it is sorted among the others.
        beginning: what it shares with others and is stored once, if anything.
        most: the maximum number of new tokens.
    """

    request: Request
    beginning: SharedBeginning | None
    most: int


class TextDecoder(Protocol):
    """Writes several texts at once, a token of each per step. Texts are numbered without gaps."""

    @property
    def lead_tokens(self) -> int:
        """How many tokens of a soft prompt come before every context; shared beginnings include them."""
        ...

    @property
    def shares_beginnings(self) -> bool:
        """Whether the beginning of a context is computed once for all contexts that have it."""
        ...

    @property
    def token_bytes(self) -> int:
        """The memory that a token of a text takes for as long as it is written; known after `start`."""
        ...

    def start(self, texts: Sequence[PlannedText]) -> torch.Tensor:
        """Read contexts; their texts get the next numbers.

        Returns:
            The logits of the first new token of each, [texts, vocabulary].
        """
        ...

    def step(self, tokens: Sequence[int]) -> torch.Tensor:
        """Read the newest token of every text.

        Returns:
            The logits of the next ones, [all texts, vocabulary].
        """
        ...

    def drop(self, number: int) -> None:
        """Forget a text; the last one takes its number."""
        ...
