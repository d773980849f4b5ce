"""Whether the log-probabilities of an echoed prompt are the model's.

The most probable next token of a text is compared with the same token when it is echoed after that text: both numbers
must be the same. llama-cpp-python's server, with a model that has no BOS token, gives every echoed token a number of
the next place. Such numbers are possible, and the same each time, so no other check finds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from phraseproof.core import Check, Prompt
from phraseproof.errors import ModelError
from phraseproof.models.openai.echoed_scores import EchoedScore
from phraseproof.models.openai.top_logprobs import FirstTokens

_NAME = "echoed scores are the model's"
_SENTENCES = ("The capital of France is", "The sky is blue, and the grass is")
"""Short texts that all but certainly continue with a word."""

_LISTED = 5
"""How many next tokens are requested: the maximum of the oldest servers."""

_TOLERANCE = 0.5
"""Nats: servers compute in half precision, and a prompt in other batches than a generated token. Numbers of another
place differ by several nats."""

_WORD = re.compile(r" ?[A-Za-z0-9]+")
"""Tokens whose text is clear in all vocabularies, and that do not merge with the text before them."""


@runtime_checkable
class Echoes(Protocol):
    """Lists next tokens, and scores given ones by echo."""

    def first_tokens(
        self, prompts: Sequence[Prompt], *, most: int | None = None
    ) -> Iterable[tuple[int, FirstTokens | ModelError]]:
        """Index and next tokens of every prompt."""
        ...

    def echoed(self, texts: Sequence[tuple[str, str]]) -> list[EchoedScore | ModelError]:
        """The score of every second text after the first one."""
        ...


class _Next(NamedTuple):
    """A next token: the text before it, its possible spellings, and its log-probability."""

    start: str
    spellings: tuple[str, ...]
    logprob: float


def check_echo(model: Echoes, prompts: Sequence[Prompt] = ()) -> Check:
    """Compare next tokens with the same ones when they are echoed. It fails if most of them differ.

    Args:
        model: the served model.
        prompts: the first one is compared in addition to two short sentences.

    Raises:
        ModelError: the server cannot be reached or refuses.
    """
    starts = [Prompt(text) for text in (*_SENTENCES, *(prompt.text.rstrip() for prompt in prompts[:1]))]
    listed = dict(model.first_tokens(starts, most=_LISTED))
    known = [
        found
        for index, start in enumerate(starts)
        if (found := _clear_token(start.text, listed.get(index))) is not None
    ]
    compared = [(each, other) for each in known if (other := _echoed(model, each)) is not None]
    if not compared:
        reason = next((str(each) for each in listed.values() if isinstance(each, ModelError)), "no token is a word")
        return Check(_NAME, passed=True, detail=f"not compared with those of generated tokens: {reason}")
    differ = [pair for pair in compared if abs(pair[0].logprob - pair[1]) > _TOLERANCE]
    if 2 * len(differ) <= len(compared):
        most = max(abs(each.logprob - other) for each, other in compared if (each, other) not in differ)
        agree = len(compared) - len(differ)
        return Check(_NAME, passed=True, detail=f"{agree} of {len(compared)} next tokens agree to {most:.1e} nats")
    token, other = differ[0]
    return Check(
        _NAME,
        passed=False,
        detail=f"{token.spellings[0]!r} has the log-probability {token.logprob:.2f} as the next token, and {other:.2f} "
        "where the server echoes it: one of the two belongs to another place, so no echoed score can be trusted (use "
        "--scoring first_token)",
    )


def _clear_token(start: str, found: FirstTokens | ModelError | None) -> _Next | None:
    """The most probable token that is a word. Some servers leave out the space before it, so both are spellings."""
    for token in found.listed if isinstance(found, FirstTokens) else ():
        text = next((text for text in token.texts if _WORD.fullmatch(text)), None)
        if text is not None:
            return _Next(start, tuple(dict.fromkeys((text, " " + text.strip()))), token.logprob)
    return None


def _echoed(model: Echoes, token: _Next) -> float | None:
    """The echoed log-probability of a token: of its spellings that are one token, the nearest."""
    scores = model.echoed([(token.start, spelling) for spelling in token.spellings])
    usable = [each.logprob for each in scores if isinstance(each, EchoedScore) and each.option_tokens == 1]
    return min(usable, key=lambda value: abs(value - token.logprob), default=None)
