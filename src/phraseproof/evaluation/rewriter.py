"""A model as a paraphraser: what joins `instructions.paraphrase`, which knows no models, to models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol, runtime_checkable

from phraseproof.core import ChatMessage, FormatsChat, Generates, Model, Prompt, Sampling
from phraseproof.errors import ModelError, UsageError

AT_ONCE = 8
"""Prompts handed over together to a model in this process: so many answers at most are lost to a kill."""


@runtime_checkable
class GeneratesEach(Protocol):
    """Writes free text and hands each one over as soon as it is there."""

    def generate_each(
        self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling
    ) -> Iterator[tuple[int, str]]:
        """Index and text of every prompt, in the order in which texts come."""
        ...


class Rewriter:
    """Puts prompts to a model, dressed in its chat template where it declares one.

    Args:
        model: any model that writes.
        max_new_tokens: the longest answer.
        sampling: how its words are chosen. Further attempts at the same paraphrase draw by the next seeds.

    Raises:
        ModelError: the model cannot write.
        UsageError: settings out of range.
    """

    def __init__(self, model: Model, *, max_new_tokens: int, sampling: Sampling) -> None:
        if not isinstance(model, Generates):
            raise ModelError("the model cannot write text", where=model.identity.name)
        if max_new_tokens < 1:
            raise UsageError("at least one new token is needed", got=str(max_new_tokens), where="--max-new-tokens")
        if not 0 <= sampling.temperature < float("inf"):
            raise UsageError("out of range", expected="0 or more", got=str(sampling.temperature), where="--temperature")
        if not 0 < sampling.top_p <= 1:
            raise UsageError("out of range", expected="above 0, at most 1", got=str(sampling.top_p), where="--top-p")
        self._model = model
        self._identity = model.identity
        self._max_new_tokens = max_new_tokens
        self._sampling = sampling

    def __call__(self, prompts: Sequence[str], attempt: int) -> Iterable[tuple[int, str]]:
        """Index and answer of every prompt, as they come."""
        sampling = replace(self._sampling, seed=self._sampling.seed + attempt)
        dressed = [self._dressed(prompt) for prompt in prompts]
        if isinstance(self._model, GeneratesEach):
            yield from self._model.generate_each(dressed, max_new_tokens=self._max_new_tokens, sampling=sampling)
            return
        for start in range(0, len(dressed), AT_ONCE):
            some = dressed[start : start + AT_ONCE]
            texts = self._model.generate(some, max_new_tokens=self._max_new_tokens, sampling=sampling)
            yield from enumerate(texts, start=start)

    @property
    def asked_of(self) -> dict[str, Any]:
        """All that an answer hangs on besides the prompt, as plain data for a journal."""
        model = asdict(self._identity)
        settings = {**model, "settings": dict(model["settings"])}
        return {"model": settings, "sampling": asdict(self._sampling), "max_new_tokens": self._max_new_tokens}

    @property
    def author(self) -> str:
        """The model's name."""
        return self._identity.name

    @property
    def sampling(self) -> str:
        """How words are chosen, in words."""
        drawn = self._sampling
        how = f"temperature {drawn.temperature:g}, top_p {drawn.top_p:g}, seed {drawn.seed}"
        return f"{how if drawn.temperature else 'greedy'}, at most {self._max_new_tokens} new tokens"

    def count(self) -> tuple[Callable[[str], int], str]:
        """A count of a text's length and its unit: tokens where the model's tokenizer is at hand, else words."""
        tokenizer = getattr(self._model, "tokenizer", None)
        if tokenizer is None:
            return (lambda text: len(text.split())), "words"
        return (lambda text: len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])), "tokens"

    def _dressed(self, text: str) -> Prompt:
        if isinstance(self._model, FormatsChat) and self._model.has_chat_template:
            return Prompt(self._model.format_chat([ChatMessage("user", text)]), has_special_tokens=True)
        return Prompt(text)
