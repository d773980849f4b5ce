"""From prompts to scoring requests: tokens, checked, and cut to what fits into the model's context."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from phraseproof.core import Prompt
from phraseproof.engine.plan.request import DeduplicatedRequests, TokenCounts
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.tokenization import PromptTokenizer, PromptTokens

MAX_GREEDY_STEPS = 32
"""The longest greedy decoding of the method `paper`, in tokens, as in the paper's released code."""

_PROMPTS_PER_TOKENIZATION = 512
_PROMPTS_PER_WINDOW = 8192


class ContextWindow(NamedTuple):
    """What fits into a model.

    Attributes:
        kept: from the number of context tokens and of option tokens to the number of the context's last tokens that
            fit together with the option; below 1 if the option alone does not fit.
        limit: the largest number of input tokens, for messages; `None` without a limit.
        vocabulary: token ids below it have an embedding; `None` while the weights are not loaded.
    """

    kept: Callable[[int, int], int]
    limit: int | None
    vocabulary: int | None


class BuiltRequests(NamedTuple):
    """What is to be computed for some prompts.

    Attributes:
        requests: of all prompts; those that are refused have none.
        refused: by the prompt's number, why it cannot be scored.
    """

    requests: DeduplicatedRequests
    refused: dict[int, ModelError]


class RequestBuilder:
    """Turns prompts into the deduplicated requests of a scoring call. Every prompt is checked, not a sample.

    Args:
        tokenizer: tokenises prompts by the rules of the model's family.
        model: the model's name, for messages.
    """

    def __init__(self, tokenizer: PromptTokenizer, model: str) -> None:
        self._tokenizer = tokenizer
        self._model = model

    def encoded(self, prompts: Sequence[Prompt], method: str) -> Iterator[tuple[Prompt, PromptTokens]]:
        """Each prompt with its tokens, as the scoring method reads them."""
        encode = self._tokenizer.encode if method == "loglikelihood" else self._tokenizer.encode_apart
        for start in range(0, len(prompts), _PROMPTS_PER_TOKENIZATION):
            some = prompts[start : start + _PROMPTS_PER_TOKENIZATION]
            yield from zip(some, encode(some), strict=True)

    def build(self, prompts: Sequence[Prompt], method: str, window: ContextWindow) -> BuiltRequests:
        """The requests of these prompts.

        A prompt is refused if an option has no tokens, the same tokens as another, a token that has no embedding, or
        is longer than the context. Without `window.vocabulary` only the last is checked.
        """
        requests = DeduplicatedRequests()
        refused: dict[int, ModelError] = {}
        single = [each for prompt in prompts for each in prompt.alternatives or (prompt,)]
        encoded = self.encoded(single, method)
        for number, prompt in enumerate(prompts):
            parts = list(islice(encoded, len(prompt.alternatives) or 1))
            try:
                for part, tokens in parts if window.vocabulary is not None else ():
                    self._check(part, tokens, window.vocabulary or 0)
                found = [self._find(part, tokens, method, window, requests) for part, tokens in parts]
                requests.add([place for places, _ in found for place in places], _sum([count for _, count in found]))
            except ModelError as error:
                refused[number] = error
                requests.add((), TokenCounts(max(len(tokens.context) for _, tokens in parts), 0, 0))
        return BuiltRequests(requests, refused)

    def _find(
        self,
        prompt: Prompt,
        encoded: PromptTokens,
        method: str,
        window: ContextWindow,
        requests: DeduplicatedRequests,
    ) -> tuple[list[tuple[int, int]], TokenCounts]:
        """Where the scores of a prompt's options will be, and its tokens."""
        context, options = encoded.context, encoded.options
        steps = min(MAX_GREEDY_STEPS, *map(len, options)) if method == "paper" else 0
        places: list[tuple[int, int]] = [(0, 0)] * len(options)
        truncated = 0
        for kept, indices in _options_by_kept(prompt, encoded, steps, window).items():
            these = [options[index] for index in indices]
            for index, place in zip(indices, requests.find(context[-kept:], these, steps=steps), strict=True):
                places[index] = place
            truncated = max(truncated, len(context) - kept)
        naive = len(context) * len(options) + sum(map(len, options))
        return places, TokenCounts(len(context), truncated, naive, self._tokenizer.remarks(encoded))

    def _check(self, prompt: Prompt, encoded: PromptTokens, vocabulary: int) -> None:
        first: dict[tuple[int, ...], str] = {}
        for option, tokens in zip(prompt.options, encoded.options, strict=True):
            if not tokens:
                end = prompt.text[-30:]
                raise ModelError(f"the option {option!r} has no tokens of its own after the prompt ending in {end!r}")
            if first.setdefault(tokens, option) != option:
                raise ModelError(
                    f"the options {first[tokens]!r} and {option!r} become the same tokens, so the model cannot choose",
                    hint="Let the model choose among letters: answer: letter in the wording",
                )
        if max(*encoded.context, *(max(option) for option in encoded.options)) >= vocabulary:
            raise self.no_embedding(vocabulary)

    def no_embedding(self, vocabulary: int) -> ModelError:
        """The error of a prompt with a token that the model cannot read; ids below `vocabulary` have an embedding."""
        return ModelError(
            f"the tokenizer of '{self._model}' has tokens that the model has no embedding for",
            expected=f"ids below {vocabulary}",
        )


def _sum(counts: Sequence[TokenCounts]) -> TokenCounts:
    """The tokens of a prompt that has an alternative for each option: of the longest, but for `asked_tokens`."""
    if len(counts) == 1:
        return counts[0]
    remarks = 0
    for count in counts:
        remarks |= count.remarks
    prompt_tokens, truncated = (max(each[place] for each in counts) for place in (0, 1))
    return TokenCounts(prompt_tokens, truncated, sum(count.asked_tokens for count in counts), remarks)


def planning_windows(prompts: Sequence[Prompt]) -> Iterator[Sequence[Prompt]]:
    """Slices of prompts that are planned together, so that memory does not grow with the number of prompts."""
    for start in range(0, len(prompts), _PROMPTS_PER_WINDOW):
        yield prompts[start : start + _PROMPTS_PER_WINDOW]


def _options_by_kept(prompt: Prompt, encoded: PromptTokens, steps: int, window: ContextWindow) -> dict[int, list[int]]:
    """Option indices by the number of context tokens kept for them: one group, unless the prompt is cut."""
    groups: dict[int, list[int]] = {}
    for index, option in enumerate(encoded.options):
        kept = window.kept(len(encoded.context), steps or len(option))
        if kept < 1:
            raise ModelError(
                f"the option {prompt.options[index][:60]!r} is longer than the model's context",
                expected=f"at most {window.limit} tokens",
                got=f"{len(option)} tokens",
            )
        groups.setdefault(kept, []).append(index)
    return groups
