"""From the most probable first tokens to each option's probability, within bounds.

An option's **spellings** are the tokens that are the option with white space around it or none: `A` and ` A`. Their
probabilities are added. Case counts, because `a` is also an English word. A token that holds more, as `A)` does in some
vocabularies, is not a spelling.

What the list leaves out is bounded. Every token that is not listed has at most the smallest listed probability, and all
of them together have at most the remaining probability. An option of one character has two usual spellings (with and
without a space before it), so its bound counts those of the two that are not listed. A longer option may begin with any
shorter token, so its bound is everything that remains, and the listed tokens that begin it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from phraseproof.core import OptionScores
from phraseproof.models.openai.top_logprobs import FirstTokens, ListedToken

_USUAL_SPELLINGS = ("", " ")


def first_token_scores(options: Sequence[str], found: FirstTokens) -> OptionScores:
    """Lower and upper bounds of the probability that the first token is the option, for each option.

    The numbers of tokens are not known.
    """
    listed = found.listed
    remaining = max(0.0, 1.0 - math.fsum(map(_probability, listed)))
    # A server may add the token that was drawn to the most probable ones: it is below them, and bounds nothing.
    smallest = min(map(_probability, listed[: found.asked]))
    lower: list[float] = []
    upper: list[float] = []
    for option in (each.strip() for each in options):
        own = math.fsum(_probability(token) for token in listed if _spells(token, option))
        lower.append(own)
        if len(option) == 1:
            unlisted = sum(not _is_listed(space + option, listed) for space in _USUAL_SPELLINGS)
            upper.append(own + min(remaining, unlisted * smallest))
        else:
            started = math.fsum(_probability(token) for token in listed if _begins(token, option))
            upper.append(min(1.0, own + started + remaining))
    return OptionScores(
        tuple(map(_log, lower)),
        prompt_tokens=0,
        computed_tokens=0,
        upper_logprobs=tuple(map(_log, upper)),
        text=listed[0].texts[0],
    )


def can_be_first_tokens(options: Sequence[str]) -> bool:
    """Whether options may be single tokens: no white space inside, all different, none empty."""
    texts = [option.strip() for option in options]
    return all(len(text.split()) == 1 for text in texts) and len(set(texts)) == len(texts)


def _spells(token: ListedToken, option: str) -> bool:
    return any(text.strip() == option for text in token.texts)


def _begins(token: ListedToken, option: str) -> bool:
    return any(text.strip() and text.strip() != option and option.startswith(text.strip()) for text in token.texts)


def _is_listed(spelling: str, listed: Sequence[ListedToken]) -> bool:
    return any(spelling in token.texts for token in listed)


def _probability(token: ListedToken) -> float:
    return math.exp(token.logprob)


def _log(probability: float) -> float:
    return math.log(probability) if probability > 0 else -math.inf
