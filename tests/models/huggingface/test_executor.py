"""Scores by window: what is finished can be read while the rest is computed."""

from __future__ import annotations

import numpy as np
import pytest

from phraseproof.core import Prompt
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.engine.plan.request import DeduplicatedRequests, Request, TokenCounts
from phraseproof.engine.plan.scheduler import Schedule
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.huggingface.executor import WindowScores, run_schedule
from phraseproof.models.huggingface.model import HuggingFaceModel
from support import tiny_models


def test_a_prompt_is_finished_with_the_last_of_its_requests() -> None:
    requests = DeduplicatedRequests()
    # The first prompt's options follow two contexts: it was cut differently for each.
    places = [*requests.find((1, 2), ((5,),), steps=0), *requests.find((2,), ((6, 7),), steps=0)]
    requests.add(places, TokenCounts(2, 1, 7))
    requests.add(requests.find((2,), ((6, 7),), steps=0), TokenCounts(1, 0, 3))
    planned = Schedule(requests.distinct(), [[0], [1]], [2, 1], [20, 30])
    seen: list[list[int]] = []

    def score(batch: list[Request]) -> list[list[float]]:
        return [[-float(np.sum(request.context))] for request in batch]

    def on_finished(scores: WindowScores, finished: list[int]) -> None:
        seen.append(list(finished))
        assert all(scores.of(prompt).logprobs[-1] == -2.0 for prompt in finished)

    scores = run_schedule(planned, requests, score, on_finished)  # pyright: ignore[reportArgumentType] - lists are sequences
    assert seen == [[0, 1]]
    assert scores.of(0).logprobs == (-3.0, -2.0)
    assert [scores.of(prompt).computed_tokens for prompt in range(2)] == [50, 0]


def test_unknown_methods_and_prompts_without_options_are_refused() -> None:
    model = load_model(str(tiny_models.tiny_llama()), ModelOptions(device="cpu"))
    assert isinstance(model, HuggingFaceModel)
    with pytest.raises(ModelError, match="unknown scoring method"):
        model.executor.score([Prompt("a", ("A",))], method="guess", limit=BatchLimit())
    with pytest.raises(ModelError, match="without options"):
        model.executor.stream([Prompt("a")], limit=BatchLimit(), on_scores=lambda *_: None)
    assert not model.weights.is_loaded
