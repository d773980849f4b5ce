"""What models receive and return, and what is known of them: frozen types without logic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple

# ------------------------------------------------------------------------------------------------------------- Prompt


@dataclass(frozen=True, slots=True)
class Prompt:
    """One example rendered with one instruction, ready for a model.

    Attributes:
        text: everything the model reads before the answer.
        options: the answers that are scored, in the order of the example's choices; empty for free text.
        target_delimiter: the text between `text` and an option.
        has_special_tokens: `text` already holds the tokenizer's special tokens (a chat template wrote them), so the
            tokenizer must not add them again.
        messages: the turns that `text` was written from, for servers that apply their own chat template.
        alternatives: where the options are in the prompt, one prompt per option with the scored text as its only
            option. `text` is then the longest of theirs, and `options` name them. Only models that are
            `ScoresAlternatives` are given such prompts.
    """

    text: str
    options: tuple[str, ...] = ()
    target_delimiter: str = " "
    has_special_tokens: bool = False
    messages: tuple[ChatMessage, ...] = field(default=(), compare=False)
    alternatives: tuple[Prompt, ...] = ()


# -------------------------------------------------------------------------------------------------------------- Model


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Everything about a loaded model that can change a score.

    Attributes:
        name: as the user gave it.
        revision: the hub commit, or a hash of the folder's contents.
        architecture: the model class.
        dtype: the precision of the weights in use.
        adapter: a hash of the adapter's bytes, if one is active.
        settings: whatever else changes scores (maximum length, ...).
    """

    name: str
    revision: str
    architecture: str
    dtype: str = ""
    adapter: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


class PromptRemark(IntFlag):
    """What a reader should know about a prompt as the model read it."""

    DOUBLED_BOS = 1
    """It begins with two BOS tokens."""
    NO_BOS = 2
    """It begins without the BOS token that the tokenizer puts before plain texts."""
    OPTION_BEGINS_ANOTHER = 4
    """The tokens of one option begin those of another, so its log-likelihood can never be lower."""


class OptionScores(NamedTuple):
    """The scores of one prompt's options.

    Attributes:
        logprobs: one natural-log probability per option, in the prompt's order.
        prompt_tokens: tokens of the prompt.
        computed_tokens: tokens run through the model for this prompt and all its options, without those that were run
            for an earlier prompt of the same call, so that the sum over prompts is what was computed.
        truncated: tokens cut from the left of the prompt because it did not fit the model's context.
        asked_tokens: tokens that one pass per option would have run: prompt and option tokens, summed over options.
        option_tokens: the number of tokens of each option; empty where the model does not report it.
        remarks: what a reader should know of the prompt, as a sum of `PromptRemark`.
        upper_logprobs: upper bounds, one per option, where `logprobs` are lower bounds; empty where those are exact.
        text: what the model writes first, where the answer is read from that.
    """

    logprobs: tuple[float, ...]
    prompt_tokens: int
    computed_tokens: int
    truncated: int = 0
    asked_tokens: int = 0
    option_tokens: tuple[int, ...] = ()
    remarks: int = 0
    upper_logprobs: tuple[float, ...] = ()
    text: str | None = None


class TokenForecast(NamedTuple):
    """Tokens for a set of prompts: with one pass per option (`asked`), and those that scoring computes (`unique`)."""

    asked: int
    unique: int


class Check(NamedTuple):
    """One line of a self-test."""

    name: str
    passed: bool
    detail: str


class ChatMessage(NamedTuple):
    """One turn of a chat prompt; `role` is `system` (only first), `user` or `assistant`."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token of a free text is chosen.

    Attributes:
        temperature: 0 takes the most likely token (greedy); above 0, tokens are drawn, more evenly the higher it is.
        top_p: draws only among the most likely tokens that together have this probability (above 0, at most 1).
        seed: of the draws.
        top_k: draws only among this number of most likely tokens; 0 for all.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0
    top_k: int = 0


GREEDY = Sampling()
"""The most likely token at every step."""


class CutText(str):
    """A generated text that stopped at the maximum number of tokens, and not because it was complete."""

    __slots__ = ()
