"""The self-test of a model behind a server: are its log-probabilities readable, real, and the same when asked again?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from phraseproof.core import GREEDY, Check, OptionScores, Prompt, Sampling
from phraseproof.errors import ModelError
from phraseproof.models.openai.echoed_tokens import repeated_bos
from phraseproof.models.openai.first_token import first_token_scores
from phraseproof.models.openai.top_logprobs import FirstTokens

_PROMPTS = 3
_TEXT_TOKENS = 256
_TOLERANCE_PER_TOKEN = 0.1
"""Nats: servers compute in half precision, in batches that change from request to request."""

_TOLERANCE_PROBABILITY = 0.05
_CERTAIN = 1e-6
"""A probability so near to one, or to zero, is not a model's first token under several wordings."""


class Streams(Protocol):
    """Hands over the scores of every prompt, or the reason why there are none."""

    def stream_scores(
        self, prompts: Sequence[Prompt], *, on_scores: Callable[[int, OptionScores | ModelError], None]
    ) -> None:
        """Score the prompts."""
        ...


class ListsFirstTokens(Protocol):
    """Hands over the most probable first tokens of every answer, or the reason why there are none."""

    def first_tokens(self, prompts: Sequence[Prompt]) -> Iterable[tuple[int, FirstTokens | ModelError]]:
        """Index and tokens of every prompt."""
        ...


class WritesTexts(Protocol):
    """Writes an answer to every prompt."""

    def write_answers(
        self,
        prompts: Sequence[Prompt],
        *,
        max_new_tokens: int,
        samplings: Sequence[Sampling],
        on_scores: Callable[[int, OptionScores | ModelError], None],
        stop: Sequence[str] = (),
    ) -> None:
        """Hand over every answer as `OptionScores` that hold its text."""
        ...


def check_scores(model: Streams, prompts: Sequence[Prompt]) -> list[Check]:
    """Score a few prompts twice.

    Raises:
        ModelError: the server cannot be reached or refuses.
    """
    few = prompts[:_PROMPTS]
    if not few:
        return []
    once = _scores(model, few)
    usable = [index for index, scores in once.items() if isinstance(scores, OptionScores)]
    if not usable:
        return [Check("log-probabilities", passed=False, detail=str(next(iter(once.values()))))]
    # An answer that cannot be used fails its own prompt in the run, and says nothing about the others.
    detail = f"of prompt and options, for {len(usable)} of {len(few)} prompts"
    again = _scores(model, [few[index] for index in usable])
    difference = max(_difference(once[index], again[place]) for place, index in enumerate(usable))
    return [
        Check("log-probabilities", passed=True, detail=detail),
        _again(difference, "nats per token", _TOLERANCE_PER_TOKEN),
    ]


def check_bos(tokens: Sequence[str], text: str) -> Check:
    """Check that an echo does not begin with two BOS tokens, which moves every score.

    Args:
        tokens: the names of the echoed tokens.
        text: what was sent.
    """
    bos = repeated_bos(tokens, text)
    if bos is None:
        return Check("one BOS token at most", passed=True, detail=f"the echo begins with {list(tokens[:2])}")
    origin = "the prompt has one, and the server adds another" if text.startswith(bos) else "the server adds both"
    detail = f"every prompt begins with {bos!r} twice: {origin}. Check that --model-arg tokenizer is the served model's"
    return Check("one BOS token at most", passed=False, detail=detail)


def check_first_tokens(model: ListsFirstTokens, prompts: Sequence[Prompt]) -> list[Check]:
    """Ask for the first tokens of a few prompts twice, and check that they are a distribution over answers.

    Raises:
        ModelError: the server cannot be reached or refuses.
    """
    if not prompts:
        return []
    once = dict(model.first_tokens(prompts))
    usable = {index: found for index, found in once.items() if isinstance(found, FirstTokens)}
    if not usable:
        return [Check("first tokens", passed=False, detail=str(next(iter(once.values()))))]
    fewest = min(len(found.listed) for found in usable.values())
    most = max(len(prompts[index].options) for index in usable)
    checks = [
        Check(
            "first tokens",
            passed=fewest >= most,
            detail=f"at least {fewest} listed, for {len(usable)} of {len(prompts)} prompts"
            + (f"; {most} options need as many: --scoring generate reads texts" if fewest < most else ""),
        ),
        _real(list(usable.values())),
        _options_listed(prompts, usable),
    ]
    again = dict(model.first_tokens([prompts[index] for index in usable]))
    difference = max(_apart(prompts[index], found, again[place]) for place, (index, found) in enumerate(usable.items()))
    return [*checks, _again(difference, "in probability", _TOLERANCE_PROBABILITY)]


def check_texts(model: WritesTexts, prompts: Sequence[Prompt]) -> list[Check]:
    """Let a few answers be written, and check that there is something to read.

    Raises:
        ModelError: the server cannot be reached or refuses.
    """
    few = prompts[:_PROMPTS]
    found: dict[int, OptionScores | ModelError] = {}
    if few:
        model.write_answers(
            few, max_new_tokens=_TEXT_TOKENS, samplings=[GREEDY] * len(few), on_scores=found.__setitem__
        )
    texts = [each.text or "" for each in found.values() if isinstance(each, OptionScores)]
    if few and not texts:
        return [Check("texts", passed=False, detail=str(next(iter(found.values()))))]
    if not any(texts) and texts:
        detail = f"every answer is empty within {_TEXT_TOKENS} tokens: a model that thinks first may need more "
        detail += "(--max-new-tokens), or have its thoughts switched off (--chat-template-arg enable_thinking=false)"
        return [Check("texts", passed=False, detail=detail)]
    return (
        [Check("texts", passed=True, detail=f"for {len(texts)} of {len(few)} prompts, as {texts[0][:40]!r}")]
        if few
        else []
    )


def _real(found: Sequence[FirstTokens]) -> Check:
    """Whether listed numbers are a model's probabilities: not all of the mass on one token, not the same each time."""
    name = "probabilities are the model's"
    if all(each.listed[0].logprob > -_CERTAIN and each.listed[-1].logprob < math.log(_CERTAIN) for each in found):
        return Check(
            name,
            passed=False,
            detail="one token has all the probability in every prompt: the server cuts or scales probabilities before "
            "it reports them (switch its sampling options off, or use --scoring generate)",
        )
    values = {tuple(token.logprob for token in each.listed) for each in found}
    if len(found) > 1 and len(values) == 1:
        return Check(name, passed=False, detail="the same numbers for every prompt: they do not depend on it")
    return Check(name, passed=True, detail=f"they differ between {len(found)} prompts")


def _options_listed(prompts: Sequence[Prompt], found: dict[int, FirstTokens]) -> Check:
    """Whether answers begin with an option at all."""
    shares: list[float] = []
    for index, each in found.items():
        scores = first_token_scores(prompts[index].options, each)
        shares.append(math.fsum(map(math.exp, scores.logprobs)))
    missing = sum(share == 0 for share in shares)
    firsts = ", ".join(repr(token.texts[0]) for token in next(iter(found.values())).listed[:3])
    detail = f"options have {100 * math.fsum(shares) / len(shares):.1f}% of the probability on average"
    if missing:
        detail += f"; none of them is listed in {missing} of {len(shares)} prompts (most probable: {firsts})"
    if missing == len(shares):
        detail += ": ask for the letter alone, or use --scoring generate"
    return Check("answers begin with an option", passed=missing < len(shares), detail=detail)


def _apart(prompt: Prompt, once: FirstTokens, again: FirstTokens | ModelError) -> float:
    """The largest difference of an option's probability."""
    if isinstance(again, ModelError):
        return math.inf
    pairs = zip(*(first_token_scores(prompt.options, each).logprobs for each in (once, again)), strict=True)
    return max(abs(math.exp(first) - math.exp(second)) for first, second in pairs)


def _again(difference: float, unit: str, tolerance: float) -> Check:
    return Check(
        "same scores when asked again",
        passed=difference <= tolerance,
        detail=f"largest difference {difference:.1e} {unit}",
    )


def _scores(model: Streams, prompts: Sequence[Prompt]) -> dict[int, OptionScores | ModelError]:
    found: dict[int, OptionScores | ModelError] = {}
    model.stream_scores(prompts, on_scores=found.__setitem__)
    return found


def _difference(once: OptionScores | ModelError, again: OptionScores | ModelError) -> float:
    """The largest difference of an option's log-probability, per token."""
    if isinstance(once, ModelError) or isinstance(again, ModelError):
        return float("inf")
    pairs = zip(once.logprobs, again.logprobs, once.option_tokens, strict=True)
    return max(abs(one - other) / max(1, tokens) for one, other, tokens in pairs)
