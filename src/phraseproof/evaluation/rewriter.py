"""A model as a paraphraser: it connects `instructions.paraphrase`, which knows no models, to models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Protocol, runtime_checkable

from phraseproof.core import (
    ChatMessage,
    FormatsChat,
    Generates,
    Model,
    OptionScores,
    Prompt,
    Sampling,
    WritesAnswers,
)
from phraseproof.errors import ModelError, UsageError

AT_ONCE = 8
"""Prompts per call of a model in this process, and so the largest number of answers that a kill loses."""


@runtime_checkable
class GeneratesEach(Protocol):
    """Generates texts and hands over each one as soon as it is complete."""

    def generate_each(
        self, prompts: Sequence[Prompt], *, max_new_tokens: int, sampling: Sampling
    ) -> Iterator[tuple[int, str]]:
        """Index and text of every prompt, in the order of completion."""
        ...


class Rewriter:
    """Sends prompts to a model, in its chat template if it declares one.

    Args:
        model: any model that generates text.
        max_new_tokens: the maximum number of tokens per answer.
        sampling: how tokens are chosen. Further attempts at the same paraphrase use the next seeds.

    Raises:
        ModelError: the model cannot generate text.
        UsageError: settings out of range.
    """

    def __init__(self, model: Model, *, max_new_tokens: int, sampling: Sampling) -> None:
        if not isinstance(model, Generates):
            raise ModelError("the model cannot generate text", where=model.identity.name)
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
        """Index and answer of every prompt, in the order of completion."""
        sampling = replace(self._sampling, seed=self._sampling.seed + attempt)
        rendered = [self._as_prompt(prompt) for prompt in prompts]
        if isinstance(self._model, GeneratesEach):
            yield from self._model.generate_each(rendered, max_new_tokens=self._max_new_tokens, sampling=sampling)
            return
        for start in range(0, len(rendered), AT_ONCE):
            some = rendered[start : start + AT_ONCE]
            texts = self._model.generate(some, max_new_tokens=self._max_new_tokens, sampling=sampling)
            yield from enumerate(texts, start=start)

    def write(self, prompts: Sequence[str], keep: Callable[[int, str], None]) -> None:
        """Hand over index and answer of every prompt as soon as it is complete, all prompts in one call if possible.

        Raises:
            ModelError: the model cannot answer a prompt.
        """
        model = self._model
        if isinstance(model, GeneratesEach) or not isinstance(model, WritesAnswers):
            for index, answer in self(prompts, 0):
                keep(index, answer)
            return

        def take(index: int, scores: OptionScores | ModelError) -> None:
            if isinstance(scores, ModelError):
                raise scores
            keep(index, scores.text or "")

        model.write_answers(
            [self._as_prompt(prompt) for prompt in prompts],
            max_new_tokens=self._max_new_tokens,
            samplings=[self._sampling] * len(prompts),
            on_scores=take,
        )

    @property
    def settings(self) -> dict[str, object]:
        """Everything except the prompt that can change an answer, as plain data for a journal."""
        model = asdict(self._identity)
        identity = {**model, "settings": dict(model["settings"])}
        sampling = asdict(self._sampling)
        # Omitted where it is off, so that journals of older versions still match.
        if not sampling["top_k"]:
            del sampling["top_k"]
        return {"model": identity, "sampling": sampling, "max_new_tokens": self._max_new_tokens}

    @property
    def author(self) -> str:
        """The model's name."""
        return self._identity.name

    @property
    def sampling(self) -> str:
        """The sampling settings as text, for provenance."""
        drawn = self._sampling
        how = f"temperature {drawn.temperature:g}, top_p {drawn.top_p:g}, seed {drawn.seed}"
        return f"{how if drawn.temperature else 'greedy'}, at most {self._max_new_tokens} new tokens"

    def count(self) -> tuple[Callable[[str], int], str]:
        """A function that measures a text's length, and its unit: tokens if the model has a tokenizer, else words."""
        tokenizer = getattr(self._model, "tokenizer", None)
        if tokenizer is None:
            return (lambda text: len(text.split())), "words"
        return (lambda text: len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])), "tokens"

    def _as_prompt(self, text: str) -> Prompt:
        if isinstance(self._model, FormatsChat) and self._model.has_chat_template:
            messages = (ChatMessage("user", text),)
            return Prompt(self._model.format_chat(messages), has_special_tokens=True, messages=messages)
        return Prompt(text)
