"""The self-test of Hugging Face models: checks on a few of the prompts that are about to be scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from phraseproof.core import Check, OptionScores, Prompt
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.tokenization import Tokenizer

if TYPE_CHECKING:
    from phraseproof.models.huggingface.tokenization import PromptTokens

_PROMPTS = 4
_ACTIVE = 1e-6

_TOLERANCE_PER_TOKEN = {"bfloat16": 0.1, "float16": 0.02}
"""Nats per option token by which half precision may differ between batch shapes."""


class ScoresInBatches(Protocol):
    """Scores prompts in batches of a given size."""

    def score(self, prompts: Sequence[Prompt], *, limit: BatchLimit) -> Sequence[OptionScores]:
        """The scores of every prompt, in batches up to `limit`."""
        ...

    def scoring_path(self) -> str:
        """How scores are computed, for the record."""
        ...


class CanBeOff(Protocol):
    """An adapter that can be switched off inside a context."""

    def off(self) -> AbstractContextManager[None]:
        """Compute with the base model alone inside the context."""
        ...


class SelfTestSubject(NamedTuple):
    """The parts of a model that the self-test looks at.

    Attributes:
        tokenizer: the Hugging Face tokenizer.
        closing: tokens that it writes after every text, and that prompts are read without.
        dtype: the precision of the weights, by name.
        adapter: the adapter that is attached, or `None`.
        encode: the tokens that are scored.
        executor: scores prompts.
    """

    tokenizer: Tokenizer
    closing: tuple[int, ...]
    dtype: str
    adapter: CanBeOff | None
    encode: Callable[[Sequence[Prompt]], list[PromptTokens]]
    executor: ScoresInBatches


def run_checks(subject: SelfTestSubject, prompts: Sequence[Prompt]) -> list[Check]:
    """Run the checks on a loaded model. A failed check is reported, never raised.

    * `options tokenise apart`: on decoder-only models the prompt's tokens begin those of prompt and option together;
      every option has tokens; no two options have the same ones.
    * `no doubled BOS`: no prompt begins with two BOS tokens.
    * `batch invariance`: prompts of different lengths score the same alone and together in one padded batch.
    * `adapter active`, when there is one: scores differ from the base model's.
    * `scoring path` always passes: it puts on record how scores are computed.
    """
    if not prompts:
        return [Check("batch invariance", False, "there is no prompt with options to test with")]
    try:
        encoded = subject.encode(prompts)
        checks = [_tokenise_apart(subject, prompts, encoded), _no_doubled_bos(subject, encoded)]
        usable = [
            prompt
            for prompt, tokens in zip(prompts, encoded, strict=True)
            if all(tokens.options) and not _equal_options(prompt, tokens)
        ]
        chosen = _of_different_lengths(usable)
        if not chosen:
            return [*checks, Check("batch invariance", False, "no prompt has options that can be scored")]
        together = subject.executor.score(chosen, limit=BatchLimit())
        checks.insert(0, _batch_invariance(subject, chosen, together))
        if subject.adapter is not None:
            checks.append(_adapter_active(subject, subject.adapter, chosen, together))
        checks.append(Check("scoring path", True, subject.executor.scoring_path()))
    except ModelError as error:
        return [Check("batch invariance", False, f"scoring failed: {error}")]
    return checks


def _tokenise_apart(subject: SelfTestSubject, prompts: Sequence[Prompt], encoded: Sequence[PromptTokens]) -> Check:
    name = "options tokenise apart"
    for prompt, tokens in zip(prompts, encoded, strict=True):
        for option, ids in zip(prompt.options, tokens.options, strict=True):
            if not ids:
                return Check(name, False, f"the option {option!r} has no tokens after {prompt.text[-30:]!r}")
        if not tokens.apart:
            return Check(
                name,
                False,
                f"tokens of {prompt.text[-30:]!r} merge with those of its options {prompt.options!r}; "
                "another answer_prefix keeps them apart",
            )
        if _equal_options(prompt, tokens):
            return Check(name, False, f"two of the options {prompt.options!r} have the same tokens")
    said = f"{sum(len(prompt.options) for prompt in prompts)} options of {len(prompts)} prompts"
    if subject.closing:
        said += f"; prompts are read without {subject.tokenizer.decode(list(subject.closing))!r}, "
        said += "with which the tokenizer closes every text"
    return Check(name, True, said)


def _equal_options(prompt: Prompt, tokens: PromptTokens) -> bool:
    """Whether different options have the same tokens. (Some published examples offer the same option twice.)"""
    return len(set(tokens.options)) < len(set(prompt.options))


def _no_doubled_bos(subject: SelfTestSubject, encoded: Sequence[PromptTokens]) -> Check:
    name = "no doubled BOS"
    bos: int | None = subject.tokenizer.bos_token_id
    if bos is None:
        return Check(name, True, "the tokenizer has no BOS token")
    doubled = sum(tokens.context[:2] == (bos, bos) for tokens in encoded)
    once = sum(tokens.context[:1] == (bos,) for tokens in encoded)
    return Check(name, doubled == 0, f"{doubled} of {len(encoded)} prompts begin with two BOS tokens, {once} with any")


def _batch_invariance(subject: SelfTestSubject, prompts: Sequence[Prompt], together: Sequence[OptionScores]) -> Check:
    alone = [subject.executor.score([prompt], limit=BatchLimit())[0] for prompt in prompts]
    worst, passed = 0.0, True
    for tokens, one, many in zip(subject.encode(prompts), alone, together, strict=True):
        for option, single, batched in zip(tokens.options, one.logprobs, many.logprobs, strict=True):
            difference = abs(single - batched)
            allowed = _TOLERANCE_PER_TOKEN.get(subject.dtype, 0.0) * len(option) or max(1e-4, 1e-5 * abs(single))
            passed = passed and difference <= allowed  # not a number is not within any bound
            worst = max(worst, difference)
    bound = _TOLERANCE_PER_TOKEN.get(subject.dtype)
    said = f"{bound} per token" if bound else "1e-4, or 1e-5 of the log-probability where that is more"
    lengths = sorted({scores.prompt_tokens for scores in together})
    return Check(
        "batch invariance",
        passed,
        f"prompts of {', '.join(map(str, lengths))} tokens alone and in one batch: log-probabilities differ by at most "
        f"{worst:.1e} ({subject.dtype}; allowed: {said})",
    )


def _adapter_active(
    subject: SelfTestSubject, adapter: CanBeOff, prompts: Sequence[Prompt], adapted: Sequence[OptionScores]
) -> Check:
    with adapter.off():
        base = subject.executor.score(prompts, limit=BatchLimit())
    largest = max(
        abs(one - other)
        for before, after in zip(base, adapted, strict=True)
        for one, other in zip(before.logprobs, after.logprobs, strict=True)
    )
    return Check(
        "adapter active", largest > _ACTIVE, f"log-probabilities differ from the base model's by up to {largest:.1e}"
    )


def _of_different_lengths(prompts: Sequence[Prompt]) -> list[Prompt]:
    """A few prompts from the shortest to the longest."""
    order = sorted(prompts, key=lambda prompt: len(prompt.text))
    if len(order) <= _PROMPTS:
        return order
    return [order[round(index * (len(order) - 1) / (_PROMPTS - 1))] for index in range(_PROMPTS)]
