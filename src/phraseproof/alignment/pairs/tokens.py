"""Paraphrase sets as token ids, in the model's prompt format and by the tokenization rules of scoring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
from phraseproof.core import FormatsChat, Model, Prompt
from phraseproof.errors import UsageError
from phraseproof.instructions.render import RenderedPrompt, format_prompt, resolve_format

if TYPE_CHECKING:
    from phraseproof.models.huggingface.tokenization import PromptTokens
    from phraseproof.models.huggingface.trainable import ModelToTrain

_PAIRS_AT_ONCE = 256

LEAST_WEIGHT = 0.01
"""Options that a teacher finds less probable are no targets; the others share their probability."""


class SetTokens(NamedTuple):
    """The token ids of one paraphrase set, including special tokens.

    Attributes:
        reference: the prompt under the reference wording.
        paraphrases, negations: the prompts under the other wordings, in the order of the set.
        target: the continuation of every prompt, including the end-of-text token if it `has_end`.
        has_end: whether the end-of-text token was added to the target and the options. It is left out of sets without
            a label: what the reference says is known, but not that it would stop there.
        labelled: whether the target is a label.
        options: the options' tokens, if the loss needs them.
        weights: a teacher's distribution over `options`; empty if the target is the only right one.
    """

    reference: tuple[int, ...]
    paraphrases: tuple[tuple[int, ...], ...]
    negations: tuple[tuple[int, ...], ...]
    target: tuple[int, ...]
    has_end: bool = True
    labelled: bool = True
    options: tuple[tuple[int, ...], ...] = ()
    weights: tuple[float, ...] = ()


def tokenize_pairs(
    pairs: Sequence[ParaphraseSet],
    model: ModelToTrain,
    *,
    prompt_format: str = "auto",
    max_length: int | None = None,
    reserved: int = 0,
    with_options: bool = False,
    numbers: Sequence[int] | None = None,
) -> list[SetTokens]:
    """Tokenize paraphrase sets as scoring does: target delimiter, BOS and white space follow
    `models/huggingface/tokenization.py`.

    Training differs from scoring in three ways.

    * The target ends in the tokenizer's EOS token, if it has one: on encoder-decoder models because their targets
      always do in training, on decoder-only models so that the model learns to stop.
    * All wordings of a set have the same target tokens, because their distributions are compared token by token. If
      prompts end in different white space, its tokens belong to the prompt (decoder-only) or are dropped
      (encoder-decoder).
    * Nothing is truncated. A prompt that is cut from the left would lose the instruction that is aligned.

    Args:
        pairs: any number of sets.
        model: its tokenizer, prompt format and limits are used; its weights are not loaded.
        prompt_format: `auto`, `plain`, `alpaca` or `chat`.
        max_length: the maximum number of input tokens; `None` is the model's own limit, if it has one.
        reserved: the number of these tokens that the soft prompt takes.
        with_options: also tokenize the options of every set; otherwise only where a teacher's distribution needs them,
            and only those options that it finds at least `LEAST_WEIGHT` probable.
        numbers: of the sets in messages, where they have no `source`; by default from 1.

    Returns:
        One `SetTokens` per set, in the same order.

    Raises:
        UsageError: a target longer than the context, a prompt that leaves no room for it, or a target that shares a
            token with the prompt or has other tokens after one wording than after another; names the set.
        ModelError: the chat template cannot render a set.
    """
    # A cached property satisfies the protocol's property, but type checkers do not accept that.
    format_name = resolve_format(prompt_format, cast("Model", model))
    limit = model.context_limit if max_length is None else max_length
    budget = _TokenBudget(None if limit is None else limit - reserved, limit, joined=model.is_decoder_only)
    tokens: list[SetTokens] = []
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        some = pairs[start : start + _PAIRS_AT_ONCE]
        answers = [_answers(pair, with_options) for pair in some]
        prompts = [
            prompts_of(pair, prompt_format=format_name, chat_model=model, options=texts)
            for pair, (texts, _) in zip(some, answers, strict=True)
        ]
        encoded = iter(model.encode([prompt for group in prompts for prompt in group]))
        for offset, (pair, group) in enumerate(zip(some, prompts, strict=True)):
            number = start + offset + 1 if numbers is None else numbers[start + offset]
            where = pair.source or f"pair {number}"
            own = _pair_tokens(pair, answers[offset], [next(encoded) for _ in group], model, where)
            budget.check(pair, own, where)
            tokens.append(own)
    return tokens


def prompts_of(
    pair: ParaphraseSet,
    *,
    prompt_format: str,
    chat_model: FormatsChat | None = None,
    options: tuple[str, ...] | None = None,
) -> list[Prompt]:
    """The prompts of a set: the reference wording's, its paraphrases', its negations'.

    Args:
        pair: the set.
        prompt_format: `plain`, `alpaca` or `chat`.
        chat_model: the model whose chat template writes a `chat` prompt.
        options: the prompts' options; `None` for the target alone.
    """
    has_input = bool(pair.input.strip())
    return [
        format_prompt(
            RenderedPrompt(
                ask=text if has_input else None,
                tested=pair.input if has_input else text,
                options=(pair.target,) if options is None else options,
                separator=pair.separator,
                ask_last=pair.ask_last,
                system=pair.system_of(index),
                target_delimiter=pair.target_delimiter,
            ),
            prompt_format=prompt_format,
            chat_model=chat_model,
        )
        for index, text in enumerate(pair.wordings)
    ]


def _answers(pair: ParaphraseSet, with_options: bool) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The texts to tokenize, the target first if it is no option, and a teacher's distribution over the options."""
    if not with_options and not (pair.option_probabilities and pair.labelled):
        return (pair.target,), ()
    weights = pair.option_probabilities if pair.labelled else ()
    kept = range(len(pair.options))
    if weights and not with_options:
        kept = [index for index in kept if weights[index] >= LEAST_WEIGHT or pair.options[index] == pair.target]
    total = sum(weights[index] for index in kept) if weights else 1.0
    texts = tuple(pair.options[index] for index in kept)
    if pair.target not in texts:
        raise UsageError(
            f"the target {pair.target[:40]!r} is not one of the pair's options",
            expected=f"one of: {', '.join(texts)}",
            where=pair.source or None,
        )
    return texts, tuple(weights[index] / total for index in kept) if weights else ()


def _pair_tokens(
    pair: ParaphraseSet,
    answers: tuple[tuple[str, ...], tuple[float, ...]],
    encoded: Sequence[PromptTokens],
    model: ModelToTrain,
    where: str,
) -> SetTokens:
    texts, weights = answers
    for text, each in zip(pair.wordings, encoded, strict=True):
        if not each.apart:
            raise UsageError(
                f"the target {pair.target[:40]!r} shares a token with the prompt under the wording {text[-40:]!r}",
                where=where,
                hint="Give an answer_prefix that separates them, such as a space",
            )
    written = [[each.options[place] for each in encoded] for place in range(len(texts))]
    if not all(tokens for of_text in written for tokens in of_text):
        raise UsageError(f"the target {pair.target[:60]!r} has no tokens of its own after the prompt", where=where)
    chosen = texts.index(pair.target)
    endings = [_common_end(of_text) for of_text in written]
    contexts: list[tuple[int, ...]] = []
    for index, each in enumerate(encoded):
        befores = {
            of_text[index][: len(of_text[index]) - len(end)] for of_text, end in zip(written, endings, strict=True)
        }
        before = written[chosen][index][: len(written[chosen][index]) - len(endings[chosen])]
        if len(befores) > 1 or (before and model.tokenizer.decode(before).strip()):
            other = next((place for place, option in enumerate(written[chosen]) if option != written[chosen][index]), 0)
            raise UsageError(
                f"the target {pair.target[:40]!r} has other tokens after {pair.wordings[index][-40:]!r} "
                f"than after {pair.wordings[other][-40:]!r}",
                where=where,
                hint="End all wordings in the same way, or give an answer_prefix that is tokenized separately",
            )
        contexts.append(each.context + before if model.is_decoder_only else each.context)
    eos: int | None = model.tokenizer.eos_token_id
    has_end = pair.labelled and eos is not None and endings[chosen][-1] != eos
    if has_end and eos is not None:
        endings = [(*end, eos) for end in endings]
    last = 1 + len(pair.paraphrases)
    return SetTokens(
        contexts[0],
        tuple(contexts[1:last]),
        tuple(contexts[last:]),
        endings[chosen],
        has_end,
        pair.labelled,
        tuple(endings) if len(texts) > 1 else (),
        weights if len(texts) > 1 else (),
    )


def _common_end(sequences: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The longest sequence of tokens that all of them end in."""
    size = 0
    for tokens in zip(*(reversed(sequence) for sequence in sequences), strict=False):
        if len(set(tokens)) > 1:
            break
        size += 1
    return sequences[0][len(sequences[0]) - size :]


class _TokenBudget(NamedTuple):
    """The context's size: `limit` tokens, of which `tokens` are left after the soft prompt; `None` means no limit."""

    tokens: int | None
    limit: int | None
    joined: bool

    def check(self, pair: ParaphraseSet, own: SetTokens, where: str) -> None:
        """Raise a `UsageError` if the target, or a prompt with the target, is longer than the context."""
        if self.tokens is None or self.limit is None:
            return
        # The last target token is only predicted, never an input. An encoder-decoder's target has its own context.
        max_target = self.tokens if self.joined else self.limit
        others = f", {self.limit - self.tokens} of them for the soft prompt" if self.tokens < self.limit else ""
        if len(own.target) > max_target:
            raise UsageError(
                f"the target {pair.target[:60]!r} is longer than the model's context",
                expected=f"at most {self.limit} tokens{others if self.joined else ''}",
                got=f"{len(own.target)} tokens",
                where=where,
                hint="Shorten the target, or remove the pair",
            )
        needed = len(own.target) - 1 if self.joined else 0
        for text, context in zip(pair.wordings, (own.reference, *own.paraphrases, *own.negations), strict=True):
            if len(context) + needed > self.tokens:
                together = f" and {needed} of the target" if needed else ""
                raise UsageError(
                    f"the prompt that begins with {text[:40]!r} does not fit into the model's context",
                    expected=f"at most {self.limit} tokens{others}",
                    got=f"{len(context)} tokens of the prompt{together}",
                    where=where,
                    hint="Shorten the example, or remove the pair: a truncated prompt would lose its instruction",
                )
