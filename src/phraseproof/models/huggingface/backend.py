"""What the two families of networks share: context limits, batches, and scores of batches of requests."""

from __future__ import annotations

import functools
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from phraseproof.engine.generation.trial import writes_right
from phraseproof.engine.length_thresholds import (
    RotaryRegimes,
    length_thresholds,
    longest_without_choice,
    rotary_regimes,
)
from phraseproof.engine.plan import scheduler
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import Request
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.engine.trial import REFUSALS, Lengths, trial_requests
from phraseproof.models.huggingface.ways import NetworkFacts, Ways, one_line_refusals

if TYPE_CHECKING:
    import torch

    from phraseproof.engine.generation.texts import TextDecoder
    from phraseproof.models.huggingface.checkpoint import Checkpoint
    from phraseproof.models.huggingface.loaded import LazyNetwork

logger = logging.getLogger(__name__)

BatchScorer = Callable[[Sequence[Request]], list[list[float]]]
"""Scores a batch of requests: log-probabilities, one list per request, parallel to its options."""

_LOGITS_PER_TOKEN = 16384
"""This number of logits takes about as much memory as all other values that are computed for one token."""


class TextWriting(NamedTuple):
    """How texts are written in the engine.

    Attributes:
        make: a decoder that holds nothing yet.
        token_bytes: the memory of a token of a text that is being written.
    """

    make: Callable[[], TextDecoder]
    token_bytes: int


class Backend(ABC):
    """Computes requests with one family of networks. Subclasses define how contexts are cut and batches are run.

    Args:
        checkpoint: configuration, tokenizer and options.
        weights: the network, loaded on first use.
    """

    is_decoder_only: ClassVar[bool]
    """Whether prompt and option are one sequence of tokens; else an encoder reads the prompt, a decoder the option."""

    def __init__(self, checkpoint: Checkpoint, weights: LazyNetwork) -> None:
        self._checkpoint = checkpoint
        self._weights = weights

    # ------------------------------------------------------------------------------------------------------- planning

    @property
    @abstractmethod
    def context_limit(self) -> int | None:
        """The largest number of input tokens, or `None` without a limit."""

    @abstractmethod
    def kept(self, context_tokens: int, option_tokens: int) -> int:
        """How many of a context's last tokens fit together with an option; below 1 if the option alone does not fit."""

    def schedule(self, requests: Sequence[Request], limit: BatchLimit) -> Schedule:
        """Order and batches of requests; only requests of one rotary regime share a batch."""
        return scheduler.by_group(
            requests,
            [self._regime(request) for request in requests],
            lambda some, regime: self._plan(some, limit, regime=regime),
        )

    def _plan(self, requests: Sequence[Request], limit: BatchLimit, *, regime: int | None) -> Schedule:  # noqa: ARG002
        """Order and batches of requests of one regime. By default: padded batches, nothing shared between contexts."""
        weights = [self._row_weight(len(request.context), 1) for request in requests]
        # Greedy decoding reads the context and all of its own tokens but the last.
        read = [(request.options[0][: request.steps],) if request.steps else request.options for request in requests]
        virtual = self._weights.virtual_tokens
        computed = [
            virtual + self._computed(len(request.context), options)
            for request, options in zip(requests, read, strict=True)
        ]
        return scheduler.padded(requests, weights, computed, limit)

    def _regime(self, request: Request) -> int | None:
        return self._regimes.of(request, self._soft_tokens)

    @functools.cached_property
    def _regimes(self) -> RotaryRegimes:
        return rotary_regimes(self._checkpoint.config)

    @property
    def _soft_tokens(self) -> int:
        return self._weights.virtual_tokens + self._weights.prefix_tokens

    @abstractmethod
    def _computed(self, context_tokens: int, options: Sequence[tuple[int, ...]]) -> int:
        """The tokens computed for one context and these options, without virtual tokens."""

    def _row_weight(self, context_tokens: int, scored_tokens: int) -> int:
        """The memory of a row, in tokens: its tokens, and the logits where the vocabulary is projected."""
        return context_tokens + scored_tokens * (1 + self._scored_weight)

    @property
    def _scored_weight(self) -> int:
        """The memory of one token's logits, in tokens."""
        return int(self._checkpoint.config.get_text_config().vocab_size) // _LOGITS_PER_TOKEN

    @property
    def _attention_is_chosen(self) -> bool:
        """Whether the user chose an attention implementation, which packing would replace."""
        return "attn_implementation" in self._checkpoint.options.args

    # ------------------------------------------------------------------------------------------------------ computing

    @property
    def scoring_path(self) -> str:
        """How batches are run, in a few words, for the record."""
        return "padded batches"

    def batch_scorer(self, limit: BatchLimit) -> BatchScorer:
        """A function that scores the batches of one schedule, in their order.

        Args:
            limit: bounds the batches into which a padded pass cuts its second half.
        """

        def score(batch: Sequence[Request]) -> list[list[float]]:
            self._weights.restore_state()
            with one_line_refusals(self._weights.network):
                if batch[0].steps:
                    return self._score_greedy_path(batch)
                return self._ways.of(batch).score(batch, limit)

        return score

    @functools.cached_property
    def _ways(self) -> Ways:
        return self._make_ways()

    @abstractmethod
    def _make_ways(self) -> Ways:
        """The ways to score a batch that is not packed. Loads the weights."""

    def facts(self) -> NetworkFacts:
        """What trials need to know of the network. Loads the weights."""
        network = self._weights.network
        return NetworkFacts(
            network,
            self._weights.vocabulary_size,
            self.kept,
            sorted({*length_thresholds(network.config), *([self.context_limit] if self.context_limit else [])}),
            self._regimes,
            self._soft_tokens,
            longest_without_choice(network.config),
        )

    @property
    def _trial_tokens(self) -> list[int]:
        """A short text of no meaning."""
        return trial_requests(Lengths(), self._weights.vocabulary_size, self.kept)[0].context.tolist()

    def _score_greedy_path(self, requests: Sequence[Request]) -> list[list[float]]:
        """The scoring method `paper`, for a batch of requests."""
        from phraseproof.models.huggingface.greedy_path import score_greedy_path

        return score_greedy_path(self._weights.network, self.generation_inputs(requests), requests, pad_id=self.pad_id)

    @abstractmethod
    def generation_inputs(self, requests: Sequence[Request]) -> dict[str, object]:
        """The arguments of `generate` to continue these contexts."""

    @property
    def generates_in_batches(self) -> bool:
        """Whether several prompts may be padded to one length and continued together."""
        return True

    @functools.cached_property
    def text_writing(self) -> TextWriting | None:
        """How texts are written in the engine, or `None` where trials fail. Loads the weights."""
        if (make := self._text_decoder()) is None:
            return None
        self._weights.restore_state()
        try:
            decoder = make()
            is_right = writes_right(decoder, self._logits_after, self._weights.vocabulary_size)
        except REFUSALS as error:
            logger.debug("texts are not written in the engine: %s", error)
            return None
        return TextWriting(make, decoder.token_bytes) if is_right else None

    def writes_in_engine(self, request: Request) -> bool:
        """Whether the engine writes after this context; `steps` of the request is the number of new tokens."""
        return self._regime(request) == 0 and self.text_writing is not None

    @abstractmethod
    def _text_decoder(self) -> Callable[[], TextDecoder] | None:
        """What makes a decoder of the engine; `None` where the network cannot be packed."""

    @abstractmethod
    def _logits_after(self, context: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """The network's own logits after a context and written tokens, without cache and padding, [vocabulary]."""

    @functools.cached_property
    def pad_id(self) -> int:
        """A token to pad with; any would do, because padding is masked."""
        pad: int | None = self._checkpoint.tokenizer.pad_token_id
        return 0 if pad is None else pad
