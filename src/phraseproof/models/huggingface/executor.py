"""Scores prompts: builds requests, plans batches, runs them, and reports prompts as they are finished."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from phraseproof.core import OptionScores, Prompt, TokenForecast
from phraseproof.engine.plan.batching import BatchLimit, run_batches
from phraseproof.engine.plan.request import DeduplicatedRequests
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.errors import ModelError
from phraseproof.models.huggingface.requests import BuiltRequests, ContextWindow, RequestBuilder, planning_windows
from phraseproof.models.score_list import ScoreList
from phraseproof.models.streamed_scores import OnScores, collect_scores, require_options

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from phraseproof.models.huggingface.backend import Backend, BatchScorer
    from phraseproof.models.huggingface.loaded import LazyNetwork

logger = logging.getLogger(__name__)

METHODS = ("loglikelihood", "paper")


class RequestScores(NamedTuple):
    """Log-probabilities of all requests' options, one request after the other.

    Attributes:
        values: of each option.
        starts: where each request's begin.
    """

    values: NDArray[np.float64]
    starts: NDArray[np.int64]

    def of(self, request: int, option: int) -> float:
        """One option's log-probability."""
        return float(self.values[self.starts[request] + option])


class WindowScores:
    """The scores of the prompts that are planned together, readable prompt by prompt while others are computed.

    Args:
        deduplicated: the prompts' distinct contexts.
        planned: their batches.
    """

    def __init__(self, deduplicated: DeduplicatedRequests, planned: Schedule) -> None:
        self._requests = deduplicated
        self._computed = deduplicated.per_prompt(planned.computed)
        starts = np.cumsum([0, *(len(request.options) for request in planned.requests)])
        self.requests = RequestScores(np.zeros(starts[-1]), starts)

    def __len__(self) -> int:
        """How many prompts there are."""
        return len(self._requests)

    def of(self, prompt: int) -> OptionScores:
        """The scores of a prompt that is finished."""
        places = self._requests.places(prompt)
        logprobs = tuple(self.requests.of(request, option) for request, option in places)
        facts = self._requests.facts(prompt)
        return OptionScores(
            logprobs,
            facts.prompt_tokens,
            self._computed[prompt],
            facts.truncated,
            facts.asked_tokens,
            self._requests.option_tokens(places),
            facts.remarks,
        )


OnFinished = Callable[[WindowScores, Sequence[int]], None]
"""Called with the scores so far and the prompts that were finished since the last call."""


def run_schedule(
    planned: Schedule,
    deduplicated: DeduplicatedRequests,
    score: BatchScorer,
    on_finished: OnFinished | None,
) -> WindowScores:
    """The scores of all prompts of `deduplicated`.

    Args:
        score: computes one batch, whole or not at all.
        on_finished: called after each batch that finishes a prompt.

    Raises:
        ModelError: memory runs out on a single prompt.
    """
    import torch
    from accelerate.utils.memory import (
        clear_device_cache,
        should_reduce_batch_size,  # pyright: ignore[reportUnknownVariableType]
    )

    from phraseproof.engine.attention.implementation import quiet

    users = deduplicated.users()
    waiting = [len(deduplicated.waits_for(prompt)) for prompt in range(len(deduplicated))]
    scores = WindowScores(deduplicated, planned)
    results = scores.requests

    def run(batch: Sequence[int]) -> list[list[float]]:
        with torch.inference_mode():
            return score([planned.requests[index] for index in batch])

    # Quiet once for all batches: each pass is quiet, too, and the level of a log is slow to change.
    with quiet():
        for batch, found in run_batches(
            planned.batches, planned.weights, run, out_of_memory=should_reduce_batch_size, release=clear_device_cache
        ):
            finished: list[int] = []
            for request, logprobs in zip(batch, found, strict=True):
                results.values[results.starts[request] : results.starts[request + 1]] = logprobs
                for index in users[request]:
                    waiting[index] -= 1
                    if waiting[index] == 0:
                        finished.append(index)
            if on_finished is not None and finished:
                on_finished(scores, finished)
    return scores


class Executor:
    """Scores prompts with one model.

    Args:
        weights: the network, loaded when something is scored.
        backend: how its family computes.
        builder: turns prompts into requests.
    """

    def __init__(self, weights: LazyNetwork, backend: Backend, builder: RequestBuilder) -> None:
        self._weights = weights
        self._backend = backend
        self._builder = builder

    def score(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        limit: BatchLimit,
        on_done: Callable[[int], None] | None = None,
    ) -> ScoreList:
        """The scores of all prompts, in their order.

        Args:
            method: one of `METHODS`.
            limit: how large a batch may grow.
            on_done: called with the number of prompts finished since the last call.

        Raises:
            ModelError: an unknown method, a prompt without options, an option that cannot be scored, memory that runs
                out on a single prompt.
        """
        stream = functools.partial(self.stream, limit=limit)
        return collect_scores(stream, prompts, ScoreList(), method=method, on_done=on_done)

    def stream(
        self,
        prompts: Sequence[Prompt],
        *,
        method: str = "loglikelihood",
        limit: BatchLimit,
        on_scores: OnScores,
    ) -> None:
        """As `score`, but hands over each prompt's index and scores after the batch that completes it."""
        _require_method(method)
        require_options(prompts)
        start = 0
        for some in planning_windows(prompts):

            def hand_over(scores: WindowScores, finished: Sequence[int], start: int = start) -> None:
                for index in finished:
                    on_scores(start + index, scores.of(index))

            def refuse(refused: Mapping[int, ModelError], start: int = start) -> None:
                for index, error in refused.items():
                    on_scores(start + index, error)

            self._score_window(some, method, limit, hand_over, refuse)
            start += len(some)

    def forecast(self, prompts: Sequence[Prompt]) -> TokenForecast:
        """The tokens that scoring would compute, without loading the weights.

        Until they are loaded, the network is assumed to allow all the sharing that its family allows.
        """
        naive = computed = 0
        for some in planning_windows(prompts):
            requests, refused = self._build(some, "loglikelihood", vocabulary=None)
            _raise(refused)
            naive += sum(requests.facts(prompt).asked_tokens for prompt in range(len(requests)))
            computed += sum(self._backend.schedule(requests.distinct(), BatchLimit()).computed)
        return TokenForecast(naive, computed)

    def scoring_path(self) -> str:
        """How scores are computed, for the record: on which path, with which linear layers. Loads the weights."""
        packed = self._weights.pack_layers()
        layers = f"{packed} linear layers packed" if packed else "plain linear layers"
        return f"{self._backend.scoring_path}; {layers}"

    def _score_window(
        self,
        prompts: Sequence[Prompt],
        method: str,
        limit: BatchLimit,
        on_finished: OnFinished,
        on_refused: Callable[[Mapping[int, ModelError]], None],
    ) -> WindowScores:
        """The scores of prompts that are planned together; `on_refused` hears first of those that cannot be scored."""
        # Before anything else: which paths a network can take is tried on the layers that will be used.
        logger.debug("%d packed linear layers", self._weights.pack_layers())
        requests, refused = self._build(prompts, method, vocabulary=self._weights.vocabulary_size)
        on_refused(refused)
        schedule = self._backend.schedule(requests.distinct(), limit)
        return run_schedule(schedule, requests, self._backend.batch_scorer(limit), on_finished)

    def _build(self, prompts: Sequence[Prompt], method: str, *, vocabulary: int | None) -> BuiltRequests:
        window = ContextWindow(self._backend.kept, self._backend.context_limit, vocabulary)
        return self._builder.build(prompts, method, window)


def _raise(refused: Mapping[int, ModelError]) -> None:
    """The first of the errors, if there are any."""
    for error in refused.values():
        raise error


def _require_method(method: str) -> None:
    if method not in METHODS:
        raise ModelError(f"unknown scoring method '{method}'", expected=f"one of: {', '.join(METHODS)}")
