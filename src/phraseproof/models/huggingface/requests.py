"""From prompts to jobs: tokens, checked, and cut to what fits into the model's context."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from phraseproof.core import Prompt
from phraseproof.engine.plan.request import Agenda, Facts
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.tokenization import PromptTokenizer, PromptTokens

MAX_FREE_RUN_STEPS = 32
"""The longest greedy run of the method `paper`, in tokens, as in the paper's released code."""

_PROMPTS_TOKENISED_TOGETHER = 512
_PROMPTS_PLANNED_TOGETHER = 8192


class Room(NamedTuple):
    """What fits into a model.

    Attributes:
        kept: how many of a context's last tokens fit together with so many option tokens (first the context's tokens,
            then the option's); below 1 when the option alone does not fit.
        limit: the most tokens of input, for messages; `None` where nothing sets a limit.
        vocabulary: ids below it have an embedding; `None` while the weights are not loaded.
    """

    kept: Callable[[int, int], int]
    limit: int | None
    vocabulary: int | None


class Intake:
    """Turns prompts into the jobs of a call.

    Args:
        tokens: tokenises prompts by the model family's rules.
        model: the model's name, for messages.
    """

    def __init__(self, tokens: PromptTokenizer, model: str) -> None:
        self._tokens = tokens
        self._model = model

    def encoded(self, prompts: Sequence[Prompt], method: str) -> Iterator[tuple[Prompt, PromptTokens]]:
        """Each prompt with its tokens, as `method` takes them."""
        encode = self._tokens.encode if method == "loglikelihood" else self._tokens.encode_apart
        for start in range(0, len(prompts), _PROMPTS_TOKENISED_TOGETHER):
            some = prompts[start : start + _PROMPTS_TOKENISED_TOGETHER]
            yield from zip(some, encode(some), strict=True)

    def agenda(self, prompts: Sequence[Prompt], method: str, room: Room) -> Agenda:
        """The jobs of these prompts.

        Raises:
            ModelError: an option that has no tokens, no embedding, or no room; unchecked without `room.vocabulary`
                but for the last.
        """
        agenda = Agenda()
        for prompt, encoded in self.encoded(prompts, method):
            context, options = encoded.context, encoded.options
            if room.vocabulary is not None:
                self._check(prompt, encoded, room.vocabulary)
            steps = min(MAX_FREE_RUN_STEPS, *map(len, options)) if method == "paper" else 0
            places: list[tuple[int, int]] = [(0, 0)] * len(options)
            cut = 0
            for kept, indices in _by_kept(prompt, encoded, steps, room).items():
                these = [options[index] for index in indices]
                for index, place in zip(indices, agenda.find(context[-kept:], these, steps=steps), strict=True):
                    places[index] = place
                cut = max(cut, len(context) - kept)
            asked = len(context) * len(options) + sum(map(len, options))
            agenda.add(places, Facts(len(context), cut, asked))
        return agenda

    def _check(self, prompt: Prompt, encoded: PromptTokens, vocabulary: int) -> None:
        for option, tokens in zip(prompt.options, encoded.options, strict=True):
            if not tokens:
                end = prompt.text[-30:]
                raise ModelError(f"the option {option!r} has no tokens of its own after the prompt ending in {end!r}")
        if max(*encoded.context, *(max(option) for option in encoded.options)) >= vocabulary:
            raise ModelError(
                f"the tokenizer of '{self._model}' has tokens that the model has no embedding for",
                expected=f"ids below {vocabulary}",
            )


def planned_together(prompts: Sequence[Prompt]) -> Iterator[Sequence[Prompt]]:
    """Prompts in runs that are planned together, so that memory does not grow with their number."""
    for start in range(0, len(prompts), _PROMPTS_PLANNED_TOGETHER):
        yield prompts[start : start + _PROMPTS_PLANNED_TOGETHER]


def _by_kept(prompt: Prompt, encoded: PromptTokens, steps: int, room: Room) -> dict[int, list[int]]:
    """Options by how much of the context is kept for them: all the same, unless the prompt is cut."""
    groups: dict[int, list[int]] = {}
    for index, option in enumerate(encoded.options):
        kept = room.kept(len(encoded.context), steps or len(option))
        if kept < 1:
            raise ModelError(
                f"the option {prompt.options[index][:60]!r} is longer than the model's context",
                expected=f"at most {room.limit} tokens",
                got=f"{len(option)} tokens",
            )
        groups.setdefault(kept, []).append(index)
    return groups
