"""From a server's echo of prompt and option to the option's log-probability, or the reason why it gives none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

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


class Echo(NamedTuple):
    """What a server returns of a text that it was sent (`echo_ways.py`).

    Attributes:
        names: of all tokens, those that the server put before the text included.
        values: their log-probabilities as they were sent, unchecked.
        offsets: the place of each token in `text`, if the server sends it.
        text: the server's copy of the text, with what it generated.
        generated: the largest number of generated tokens that follow the text's.
        unnamed_first: whether the first token has no name.
    """

    names: list[str]
    values: list[object]
    offsets: list[int] | None = None
    text: str | None = None
    generated: int = 0
    unnamed_first: bool = False


class EchoedScore(NamedTuple):
    """The log-probability of one option, and the numbers of tokens of prompt and option."""

    logprob: float
    prompt_tokens: int
    option_tokens: int


def request_text(prompt: Prompt, option: str) -> tuple[str, str]:
    """Prompt and option as two texts that meet by lm-evaluation-harness's rule: white space goes to the option."""
    start = prompt.text.rstrip()
    return start, prompt.text[len(start) :] + prompt.target_delimiter + option


def score_of(echo: Echo, start: str, tail: str) -> EchoedScore:
    """The score of the option that is `tail` without the target delimiter.

    Args:
        echo: the tokens of `start + tail` with their log-probabilities.
        start: the prompt.
        tail: the target delimiter and the option.

    Raises:
        UnusableError: log-probabilities cannot be right, or it is open which are the option's.
    """
    try:
        share = share_of_option(
            echo.names,
            start,
            tail,
            offsets=echo.offsets,
            echoed=echo.text,
            generated=echo.generated,
            unnamed=int(echo.unnamed_first),
        )
    except AlignmentError as error:
        raise UnusableError(f"{error} (got {short(''.join(echo.names[-12:]))})") from None
    total = 0.0
    for place, value in enumerate(echo.values):
        is_own = share.first <= place < share.end
        if value is None and not is_own:
            continue  # the first token has none
        number = read_logprob(value, "a token of the option")
        total += number if is_own else 0.0
    return EchoedScore(total, share.first, share.end - share.first)


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
        raise ImpossibleError(f"a log-probability is not a number (got {short(value)})")
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


def short(value: object) -> str:
    """A value as it is quoted in an error."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
