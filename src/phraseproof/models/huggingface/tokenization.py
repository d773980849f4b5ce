"""How prompts and options become tokens: by the rules of lm-evaluation-harness, or of the paper's released code."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from phraseproof.core import Prompt, PromptRemark
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.token_ids import token_ids

Tokenizer: TypeAlias = Any
"""A transformers tokenizer, fast or slow: the two have no typed interface in common."""


class PromptTokens(NamedTuple):
    """One prompt as a model reads it.

    Attributes:
        context: tokens of the prompt, special tokens included; never empty.
        options: tokens of each option.
        apart: whether the prompt's tokens, alone, begin those of the prompt followed by each option.
    """

    context: tuple[int, ...]
    options: tuple[tuple[int, ...], ...]
    apart: bool = True


class PromptTokenizer:
    """Turns prompts into tokens for one of the two families.

    Args:
        tokenizer: a Hugging Face tokenizer.
        joined: prompt and option are one text (decoder-only); otherwise each is a separate text (encoder-decoder).

    Attributes:
        tokenizer: the same.
        closing: tokens that the tokenizer writes after every text, left out of decoder-only prompts: EOS, for example.
    """

    def __init__(self, tokenizer: Tokenizer, *, joined: bool) -> None:
        self.tokenizer = tokenizer
        self._joined = joined
        prefix = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        self._prefix_id: int | None = prefix
        self._bos_id: int | None = tokenizer.bos_token_id
        self._prefix_text: str = tokenizer.decode([prefix]) if prefix is not None else ""
        # A decoder-only model reads prompt and option as one text, so EOS between the two would be wrong.
        self.closing: tuple[int, ...] = _closing(tokenizer) if joined else ()

    def encode(self, prompts: Sequence[Prompt]) -> list[PromptTokens]:
        """Tokens for `loglikelihood`: equal, token for token, to lm-evaluation-harness's.

        White space that ends a prompt moves to the front of what follows it. Decoder-only: prompt, target delimiter and
        option are tokenised together and split where the prompt's own tokens end. Encoder-decoder: target delimiter and
        option are tokenised without special tokens. A prompt without any text is the BOS (or else EOS) token.

        Raises:
            ModelError: a prompt without text, for a tokenizer with neither BOS nor EOS.
        """
        stripped = [prompt.text.rstrip() for prompt in prompts]
        specials = [
            not prompt.has_special_tokens and not self._starts_with_bos(text)
            for prompt, text in zip(prompts, stripped, strict=True)
        ]
        contexts = self._contexts(list(zip(stripped, specials, strict=True)))
        tails = [
            [prompt.text[len(text) :] + prompt.target_delimiter + option for option in prompt.options]
            for prompt, text in zip(prompts, stripped, strict=True)
        ]
        # A prompt without text is no text to tokenise together with: its options follow the prefix token directly.
        together = [self._joined and bool(text) for text in stripped]
        keys = [
            [(text + tail, special) if joined else (tail, False) for tail in some]
            for text, special, joined, some in zip(stripped, specials, together, tails, strict=True)
        ]
        distinct = list(dict.fromkeys(key for some in keys for key in some))
        tokens = dict(zip(distinct, self._tokenise(distinct), strict=True))
        encoded: list[PromptTokens] = []
        for context, joined, some in zip(contexts, together, keys, strict=True):
            sequences = [tokens[key] for key in some]
            if joined:
                size = len(context)
                apart = all(sequence[:size] == context for sequence in sequences)
                encoded.append(PromptTokens(context, tuple(sequence[size:] for sequence in sequences), apart))
            else:
                encoded.append(PromptTokens(context, tuple(self._after_prefix(context, tail) for tail in sequences)))
        return encoded

    def encode_apart(self, prompts: Sequence[Prompt]) -> list[PromptTokens]:
        """Tokens for `paper`: prompt and options as they are, each by the tokenizer's defaults, but no BOS on options.

        So a T5 option ends in EOS, as it does in the paper's released code.
        """
        contexts = self._contexts_alone(prompts)
        texts = list(dict.fromkeys(option for prompt in prompts for option in prompt.options))
        alone = self._tokenise([(text, True) for text in texts])
        tokens = {text: (*option, *self.closing) for text, option in zip(texts, alone, strict=True)}
        return [
            PromptTokens(context, tuple(self._without_bos(tokens[option]) for option in prompt.options))
            for prompt, context in zip(prompts, contexts, strict=True)
        ]

    def count(self, prompts: Sequence[Prompt]) -> list[int]:
        """The number of tokens of each prompt, special tokens included, without its options."""
        return [len(context) for context in self._contexts_alone(prompts)]

    def remarks(self, tokens: PromptTokens) -> int:
        """What a reader should know of a prompt, as a sum of `PromptRemark`."""
        found = PromptRemark(0)
        if self._bos_id is not None:
            if tokens.context[:2] == (self._bos_id, self._bos_id):
                found |= PromptRemark.DOUBLED_BOS
            if self._adds_bos and tokens.context[0] != self._bos_id:
                found |= PromptRemark.NO_BOS
        if _begins_another(tokens.options):
            found |= PromptRemark.OPTION_BEGINS_ANOTHER
        return int(found)

    @cached_property
    def _adds_bos(self) -> bool:
        """Whether the tokenizer puts a BOS token before plain texts."""
        return self._tokenise([("a", True)])[0][:1] == (self._bos_id,)

    def _contexts_alone(self, prompts: Sequence[Prompt]) -> list[tuple[int, ...]]:
        return self._contexts(
            [
                (prompt.text, not prompt.has_special_tokens and not self._starts_with_bos(prompt.text))
                for prompt in prompts
            ]
        )

    def _contexts(self, texts: Sequence[tuple[str, bool]]) -> list[tuple[int, ...]]:
        found = self._tokenise(texts)
        return [tokens if text and tokens else self._prefix() for (text, _), tokens in zip(texts, found, strict=True)]

    def _tokenise(self, texts: Sequence[tuple[str, bool]]) -> list[tuple[int, ...]]:
        """Tokens of each (text, whether to add special tokens)."""
        found: list[tuple[int, ...]] = [()] * len(texts)
        for special in (True, False):
            indices = [index for index, (_, wanted) in enumerate(texts) if wanted is special]
            if not indices:
                continue
            ids = token_ids(self.tokenizer, [texts[index][0] for index in indices], special=special)
            written = len(self.closing) if special else 0
            for index, tokens in zip(indices, ids, strict=True):
                found[index] = tuple(tokens[: len(tokens) - written])
        return found

    def _starts_with_bos(self, text: str) -> bool:
        return bool(self._prefix_text) and text.startswith(self._prefix_text)

    def _after_prefix(self, context: tuple[int, ...], option: tuple[int, ...]) -> tuple[int, ...]:
        """An option after a prompt without text must not repeat the token that replaces that prompt."""
        return option[1:] if context == (self._prefix_id,) and option[:1] == context else option

    def _without_bos(self, tokens: tuple[int, ...]) -> tuple[int, ...]:
        bos: int | None = self.tokenizer.bos_token_id
        return tokens[1:] if bos is not None and tokens[:1] == (bos,) else tokens

    def _prefix(self) -> tuple[int, ...]:
        if self._prefix_id is None:
            raise ModelError(
                "a prompt without text cannot be scored by this model: its tokenizer has neither a BOS nor an EOS token"
            )
        return (self._prefix_id,)


@lru_cache(maxsize=1024)
def _begins_another(options: tuple[tuple[int, ...], ...]) -> bool:
    """Whether the tokens of an option begin those of another one."""
    # In sorted order, an option that begins others comes directly before one of them.
    return any(len(one) < len(next_) and next_[: len(one)] == one for one, next_ in pairwise(sorted(options)))


def _closing(tokenizer: Tokenizer) -> tuple[int, ...]:
    """The special tokens after a text."""
    plain: list[int] = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole: list[int] = tokenizer("a", add_special_tokens=True)["input_ids"]
    for start in range(len(whole) - len(plain) + 1):
        if whole[start : start + len(plain)] == plain:
            return tuple(whole[start + len(plain) :])
    return ()
