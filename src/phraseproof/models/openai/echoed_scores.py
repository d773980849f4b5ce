"""From a server's echo of prompt and option to the option's log-probability, or the reason why it gives none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, cast

from phraseproof.core import OptionScores, Prompt
from phraseproof.models.openai.echoed_tokens import AlignmentError, share_of_option

_MAX_LOGPROB = 1e-3
"""Above zero only by rounding."""

_MAX_TOTAL_PROBABILITY = 1.1
"""Of options that exclude each other. Above one only by rounding: servers compute in half precision and in batches."""


class UnusableError(ValueError):
    """An answer that gives no score.

    Attributes:
        hint: what the user can do, if anything.
    """

    def __init__(self, problem: str, *, hint: str | None = None) -> None:
        super().__init__(problem)
        self.hint = hint


class ImpossibleError(UnusableError):
    """An answer with numbers that cannot be probabilities: the server is wrong, and not only unable."""


class EchoedScore(NamedTuple):
    """The log-probability of one option, and the numbers of tokens of prompt and option."""

    logprob: float
    prompt_tokens: int
    option_tokens: int


def request_text(prompt: Prompt, option: str) -> tuple[str, str]:
    """Prompt and option as two texts that meet by lm-evaluation-harness's rule: white space goes to the option."""
    start = prompt.text.rstrip()
    return start, prompt.text[len(start) :] + prompt.target_delimiter + option


def score_of(choice: object, start: str, tail: str) -> EchoedScore:
    """The score of the option that is `tail` without the target delimiter.

    Args:
        choice: one of an answer's choices, of the endpoint `completions`.
        start: the prompt.
        tail: the target delimiter and the option.

    Raises:
        UnusableError: there are no log-probabilities, they cannot be right, or it is open which are the option's.
    """
    logprobs = _mapping(choice).get("logprobs")
    tokens, values = _list(_mapping(logprobs).get("tokens")), _list(_mapping(logprobs).get("token_logprobs"))
    if tokens is None or values is None or len(tokens) != len(values):
        raise UnusableError(
            "the server does not send the log-probabilities of what it was sent, so options cannot be scored",
            hint="Scoring needs the endpoint completions of a server that supports echo with logprobs, as vLLM's",
        )
    names = [token for token in tokens if isinstance(token, str)]
    if len(names) < len(tokens):
        other = next(token for token in tokens if not isinstance(token, str))
        raise UnusableError(f"a token's name is not text (got {_short(other)})")
    try:
        share = share_of_option(names, start, tail, offsets=_offsets(logprobs), echoed=_echoed(choice))
    except AlignmentError as error:
        raise UnusableError(f"{error} (got {_short(''.join(names[-12:]))})") from None
    total = 0.0
    for place, value in enumerate(values):
        is_own = share.first <= place < share.end
        if value is None and not is_own:
            continue  # the first token has none
        number = read_logprob(value, "a token of the option")
        total += number if is_own else 0.0
    return EchoedScore(total, share.first, share.end - share.first)


def echoed_names(choice: object) -> list[str]:
    """The names of all tokens of an echo, those before the prompt included; empty where there are none."""
    tokens = _list(_mapping(_mapping(choice).get("logprobs")).get("tokens")) or []
    return [token for token in tokens if isinstance(token, str)]


def option_scores(prompt: Prompt, scores: Sequence[EchoedScore]) -> OptionScores:
    """The scores of a prompt's options together.

    Raises:
        UnusableError: options that exclude each other have probabilities that add up to more than one.
    """
    if not _are_prefixes(prompt.options):
        total = math.fsum(math.exp(min(each.logprob, 1.0)) for each in scores)
        if total > _MAX_TOTAL_PROBABILITY:
            raise ImpossibleError(
                f"the probabilities of the options add up to {total:.2f}, which cannot be (expected at most 1)"
            )
    computed = sum(each.prompt_tokens + each.option_tokens for each in scores)
    return OptionScores(
        tuple(each.logprob for each in scores),
        max(each.prompt_tokens for each in scores),
        computed,
        asked_tokens=computed,
        option_tokens=tuple(each.option_tokens for each in scores),
    )


def read_logprob(value: object, what: str) -> float:
    """A log-probability that a server sent.

    Raises:
        UnusableError: it is missing, not a number, or impossible.
    """
    if value is None:
        raise UnusableError(f"{what} has no log-probability")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ImpossibleError(f"a log-probability is not a number (got {_short(value)})")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number > _MAX_LOGPROB:
        raise ImpossibleError(f"a log-probability is impossible (expected a finite number up to 0, got {number})")
    return number


def _are_prefixes(options: Sequence[str]) -> bool:
    """Whether an option is the beginning of another: then they do not exclude each other."""
    ordered = sorted(options)  # a text comes directly before the first of those that it begins
    return any(later.startswith(one) for one, later in pairwise(ordered))


def _mapping(value: object) -> dict[str, object]:
    return cast(dict[str, object], value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object] | None:
    return cast(list[object], value) if isinstance(value, list) else None


def _offsets(logprobs: object) -> list[int] | None:
    offsets = _list(_mapping(logprobs).get("text_offset")) or []
    whole = [offset for offset in offsets if isinstance(offset, int) and not isinstance(offset, bool)]
    return whole if whole and len(whole) == len(offsets) else None


def _echoed(choice: object) -> str | None:
    text = _mapping(choice).get("text")
    return text if isinstance(text, str) else None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
