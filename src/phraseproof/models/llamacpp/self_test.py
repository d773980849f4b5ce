"""The self-test of a model in llama.cpp, above all against the same file dequantised by transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from phraseproof.core import Check, OptionScores, Prompt
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.errors import ModelError

SAMPLED_PROMPTS = 16
"""How many prompts are scored by both."""

MAX_MEAN_PER_TOKEN = 0.5
"""Nats per option token. Rounding moves scores by hundredths; a network that is read otherwise, by more than this."""

_OPEN = 0.5
_BATCHES = 4

Encoded = Sequence[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]


class EncodesPrompts(Protocol):
    """Has a tokenizer."""

    def encode(self, prompts: Sequence[Prompt]) -> Sequence[tuple[object, ...]]:
        """The tokens of each prompt, those of its options after it."""
        ...

    def score_options(self, prompts: Sequence[Prompt]) -> Sequence[OptionScores]:
        """The scores of every prompt."""
        ...


class LlamaCppSubject(Protocol):
    """What the self-test looks at."""

    @property
    def description(self) -> str:
        """How scores are computed, for the record."""
        ...

    def encode(self, prompts: Sequence[Prompt]) -> Encoded:
        """The tokens of each prompt, and of its options."""
        ...

    def score_in_batches(self, prompts: Sequence[Prompt], *, limit: BatchLimit) -> Sequence[OptionScores]:
        """The scores of every prompt, in batches up to `limit`."""
        ...

    def in_float32(self) -> EncodesPrompts:
        """The same file, dequantised."""
        ...


class Distance(NamedTuple):
    """How far two ways of scoring are apart, over a sample of prompts.

    Attributes:
        largest, mean: difference of an option's log-probability, in nats.
        per_token: the mean difference per token of an option.
        changed: how many choices differ.
        open: how many choices lead the next option by no more than twice `largest`, so that they could differ.
        prompts, options: the sample's size.
    """

    largest: float
    mean: float
    per_token: float
    changed: int
    open: int
    prompts: int
    options: int


def distance(ours: Sequence[OptionScores], theirs: Sequence[OptionScores]) -> Distance:
    """The distance between two scores of the same prompts."""
    differences: list[float] = []
    tokens = changed = 0
    leads: list[float] = []
    for one, other in zip(ours, theirs, strict=True):
        differences += [abs(left - right) for left, right in zip(one.logprobs, other.logprobs, strict=True)]
        tokens += sum(one.option_tokens)
        changed += _best(one) != _best(other)
        if len(one.logprobs) > 1:
            first, second = sorted(one.logprobs, reverse=True)[:2]
            leads.append(first - second)
    largest = max(differences)
    return Distance(
        largest,
        sum(differences) / len(differences),
        sum(differences) / max(1, tokens),
        changed,
        sum(lead <= 2 * largest for lead in leads),
        len(ours),
        len(differences),
    )


def run_checks(subject: LlamaCppSubject, prompts: Sequence[Prompt]) -> list[Check]:
    """Run the checks. A failed check is reported, never raised.

    * `dequantised model`: scores of up to 16 prompts by llama.cpp and by transformers on the same file.
    * `same tokens`: both tokenise these prompts and options equally.
    * `batch invariance`: scores of the same prompts alone and together.
    * `scoring path` always passes: it puts on record how scores are computed.
    """
    if not prompts:
        return [Check("batch invariance", False, "there is no prompt with options to test with")]
    some = prompts[:: -(-len(prompts) // SAMPLED_PROMPTS)]
    try:
        together = subject.score_in_batches(some, limit=BatchLimit(tokens=512))
        checks = [_batch_invariance(subject, some[:_BATCHES], together[:_BATCHES])]
        checks += _against_dequantised(subject, some, together)
    except ModelError as error:
        return [Check("batch invariance", False, f"scoring failed: {error}")]
    return [*checks, Check("scoring path", True, subject.description)]


def _against_dequantised(
    subject: LlamaCppSubject, prompts: Sequence[Prompt], ours: Sequence[OptionScores]
) -> list[Check]:
    name = "dequantised model"
    try:
        exact = subject.in_float32()
        theirs = exact.score_options(prompts)
    except ModelError as error:
        return [Check(name, True, f"not compared, so it is not known how exact scores are: {error}")]
    unequal = [
        prompt.text[-40:]
        for prompt, one, other in zip(prompts, subject.encode(prompts), exact.encode(prompts), strict=True)
        if one != tuple(other[:2])
    ]
    detail = f"{len(prompts)} prompts and their options"
    if unequal:
        detail = f"{len(unequal)} of {len(prompts)} prompts have other tokens in transformers, as {unequal[0]!r}"
    apart = distance(ours, theirs)
    said = (
        f"{apart.prompts} prompts, {apart.options} options by llama.cpp's kernels and in float32: log-probabilities "
        f"differ by at most {apart.largest:.2g} nats, by {apart.mean:.2g} on average; {apart.changed} choices differ, "
        f"and {apart.open} are too close to decide (lead of at most {2 * apart.largest:.2g})"
    )
    return [
        Check("same tokens", not unequal, detail),
        Check(name, apart.per_token <= MAX_MEAN_PER_TOKEN, said),
    ]


def _batch_invariance(subject: LlamaCppSubject, prompts: Sequence[Prompt], together: Sequence[OptionScores]) -> Check:
    alone = subject.score_in_batches(prompts, limit=BatchLimit(items=1))
    apart = distance(alone, together)
    return Check(
        "batch invariance",
        apart.per_token <= _OPEN,
        f"{apart.prompts} prompts alone and in one batch: log-probabilities differ by at most {apart.largest:.1e} "
        f"nats (llama.cpp has other kernels for other numbers of rows; allowed: {_OPEN} per token on average)",
    )


def _best(scores: OptionScores) -> int:
    return max(range(len(scores.logprobs)), key=scores.logprobs.__getitem__)
