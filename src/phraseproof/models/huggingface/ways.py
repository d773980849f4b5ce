"""The ways in which a network can score a batch, from fast to safe: the first whose trials give the right scores."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

import torch
from accelerate.utils.memory import (
    should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
)

from phraseproof.engine.cpu.half_products import rounding_of
from phraseproof.engine.length_thresholds import RotaryRegimes
from phraseproof.engine.network import Network
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import Request
from phraseproof.engine.trial import REFUSALS, Lengths, agree, is_unmoved, trial_requests
from phraseproof.errors import ModelError

logger = logging.getLogger(__name__)


_IN_PIECES = BatchLimit(items=3)
"""Trials run the second half of a way in several pieces, as large batches do."""


class Way(NamedTuple):
    """One way to score a batch.

    Attributes:
        name: for the record.
        score: log-probabilities, one list per request, parallel to its options.
        places: how many tokens the longest sequence of a batch has, padding included.
    """

    name: str
    score: Callable[[Sequence[Request], BatchLimit], list[list[float]]]
    places: Callable[[Sequence[Request]], int]


class NetworkFacts(NamedTuple):
    """What trials need to know of a network.

    Attributes:
        network: the transformers model.
        vocabulary: token ids below it have an embedding.
        kept: how many tokens of a context fit together with an option, by the number of tokens of both.
        thresholds: lengths in tokens at which it computes something else.
        regimes: where its rotary frequencies change.
        before: the soft prompt's tokens.
        most_without_choice: beyond this number of tokens it chooses which ones it attends to; `None` if it never does.
    """

    network: Network
    vocabulary: int
    kept: Callable[[int, int], int]
    thresholds: Sequence[int]
    regimes: RotaryRegimes
    before: int
    most_without_choice: int | None

    def tried_at(self, places: int, regime: int | None) -> list[Lengths]:
        """The lengths at which a way must have given right results before it computes a batch.

        Args:
            places: the tokens of the longest sequence of the batch, padding included.
            regime: the rotary regime of the batch.
        """
        crossed = [
            Lengths(threshold, is_beyond=regime == 1 and threshold == self.regimes.limit)
            for threshold in self.thresholds
            if threshold < places
        ]
        return [Lengths(), *crossed]


class Ways:
    """Chooses a way for each batch.

    A way is tried on short requests, and again at every threshold that a batch crosses, when it first does. The last
    resort is one prompt and one option per pass, without padding and without a cache: what transformers itself computes
    for them.

    Args:
        fast: from the fastest.
        alone: the last resort.
        facts: of the network.
    """

    def __init__(self, fast: Sequence[Way], alone: Way, facts: NetworkFacts) -> None:
        self._fast, self._alone, self._facts = fast, alone, facts
        self._passed: dict[tuple[str, Lengths], bool] = {}
        self._expected: dict[Lengths, tuple[list[Request], list[list[float]]]] = {}

    @property
    def of_short_requests(self) -> Way:
        """The way of requests that cross no threshold."""
        return next((way for way in self._fast if self._passes(way, Lengths())), self._alone)

    def of(self, requests: Sequence[Request]) -> Way:
        """The way of a batch, whose requests are all of one rotary regime.

        Raises:
            ModelError: a network that cannot be scored in any way.
        """
        regime = self._facts.regimes.of(requests[0], self._facts.before)
        for way in self._fast if regime is not None else ():
            places = way.places(requests)
            if self._facts.most_without_choice is not None and places > self._facts.most_without_choice:
                continue
            if all(self._passes(way, lengths) for lengths in self._facts.tried_at(places, regime)):
                return way
        return self._alone

    def _passes(self, way: Way, lengths: Lengths) -> bool:
        key = (way.name, lengths)
        if key not in self._passed:
            requests, expected = self._expected_at(lengths)
            try:
                with torch.inference_mode():
                    found = way.score(requests, _IN_PIECES)
            except REFUSALS as error:
                logger.debug("%s: %s", way.name, error)
                self._passed[key] = False
            else:
                self._passed[key] = agree(found, expected, rounding_of(self._facts.network))
        return self._passed[key]

    def _expected_at(self, lengths: Lengths) -> tuple[list[Request], list[list[float]]]:
        """Trial requests and their scores alone.

        Raises:
            ModelError: the scores of the same requests are not the same twice, or cannot be computed.
        """
        if lengths not in self._expected:
            facts = self._facts
            requests = trial_requests(lengths, facts.vocabulary, facts.kept)
            with torch.inference_mode(), one_line_refusals(facts.network):
                expected = self._alone.score(requests, BatchLimit())
                again = self._alone.score(requests[:1], BatchLimit())
            if not agree(again, expected[:1], rounding_of(facts.network)):
                raise ModelError(
                    f"{type(facts.network).__name__} gives other log-probabilities each time, so it cannot be scored",
                    expected="a network without random numbers in evaluation mode",
                )
            self._expected[lengths] = requests, expected
        return self._expected[lengths]


@contextlib.contextmanager
def one_line_refusals(network: Network) -> Generator[None]:
    """Turn what a network raises into one line; memory that runs out is raised as it is."""
    try:
        yield
    except REFUSALS as error:
        if should_reduce_batch_size(error):
            raise
        text = " ".join(str(error).split())[:160]
        raise ModelError(
            f"{type(network).__name__} cannot compute these prompts",
            got=f"{type(error).__name__}: {text}",
            hint="If only long prompts fail, its context is shorter than its config.json says: give --max-length",
        ) from error


def check_causal(network: Network, tokens: Sequence[int], logits_of: Callable[[Sequence[int]], torch.Tensor]) -> None:
    """Refuse a network whose prediction of a token depends on the tokens after it.

    Args:
        tokens: a short text.
        logits_of: what the network makes of some tokens, [1, tokens, vocabulary].

    Raises:
        ModelError: such a network: it was trained to fill in masked words, or is not set up as a decoder.
    """
    half = len(tokens) // 2
    whole, first = (logits_of(some)[0, :half].float() for some in (tokens, tokens[:half]))
    if is_unmoved(whole, first, rounding_of(network)):
        return
    raise ModelError(
        f"{type(network).__name__} cannot score text: its prediction of a token depends on the tokens after it",
        expected="a model that reads from left to right",
        got=f"the type '{network.config.model_type}'; masked language models read in both directions",
        hint='A model that was trained as a decoder has "is_decoder": true in its config.json',
    )
