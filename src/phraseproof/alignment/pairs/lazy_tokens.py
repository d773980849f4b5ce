"""The tokens of paraphrase sets, made when they are first used: few sets are drawn in a short training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, overload

from phraseproof.alignment.pairs.paraphrase_set import ParaphraseSet
from phraseproof.alignment.pairs.tokens import SetTokens, tokenize_pairs
from phraseproof.errors import UsageError

if TYPE_CHECKING:
    from phraseproof.models.huggingface.trainable import ModelToTrain


class LazySetTokens(Sequence[SetTokens]):
    """What `tokenize_pairs` returns for the same arguments, with each set tokenized and checked at its first use.

    A set is tokenized whole, because its target's tokens depend on all of its wordings.

    Args:
        pairs, model, prompt_format, reserved, with_options: as in `tokenize_pairs`.
    """

    def __init__(
        self,
        pairs: Sequence[ParaphraseSet],
        model: ModelToTrain,
        *,
        prompt_format: str = "auto",
        reserved: int = 0,
        with_options: bool = False,
    ) -> None:
        self._pairs, self._model = pairs, model
        self._format, self._reserved, self._with_options = prompt_format, reserved, with_options
        self._found: dict[int, SetTokens] = {}

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def __getitem__(self, index: int) -> SetTokens: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SetTokens, ...]: ...
    def __getitem__(self, index: int | slice) -> SetTokens | tuple[SetTokens, ...]:
        places = range(len(self))[index]
        if isinstance(places, range):
            self.require(places)
            return tuple(self._found[place] for place in places)
        self.require([places])
        return self._found[places]

    def first(self, count: int) -> LazySetTokens:
        """Those of the first sets."""
        return LazySetTokens(
            self._pairs[:count],
            self._model,
            prompt_format=self._format,
            reserved=self._reserved,
            with_options=self._with_options,
        )

    def require(self, places: Iterable[int]) -> None:
        """Tokenize and check some of the sets, in their order.

        Raises:
            UsageError: as `tokenize_pairs`; or a target consists of unknown tokens, so that training would teach the
                model to write the unknown token.
        """
        lacking = sorted({place for place in places if place not in self._found})
        if not lacking:
            return
        tokens = tokenize_pairs(
            [self._pairs[place] for place in lacking],
            self._model,
            prompt_format=self._format,
            reserved=self._reserved,
            with_options=self._with_options,
            numbers=[place + 1 for place in lacking],
        )
        for place, own in zip(lacking, tokens, strict=True):
            self._refuse_unknown_target(self._pairs[place], own)
            self._found[place] = own

    def _refuse_unknown_target(self, pair: ParaphraseSet, tokens: SetTokens) -> None:
        unknown, end = self._model.tokenizer.unk_token_id, self._model.tokenizer.eos_token_id
        if unknown is None or unknown == end:  # GPT-2 has no unknown text; its unknown token is its end token
            return
        if all(token in (unknown, end) for token in tokens.target):
            raise UsageError(
                f"the tokenizer has only unknown tokens for the target {shorten(pair.target, 40)!r}",
                expected="targets in the model's vocabulary",
                where=pair.source or "--pairs",
                hint="Use a model whose vocabulary contains the answers",
            )
