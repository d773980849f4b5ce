"""Capabilities are asked of a model itself: the shipped models have theirs, and any object may have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from phraseproof import core
from phraseproof.core import (
    CountsParameters,
    ForecastsTokens,
    FormatsChat,
    Generates,
    ModelIdentity,
    OffersFloat32,
    OptionScores,
    Prompt,
    Represents,
    ScoresOptions,
    StreamsScores,
)
from phraseproof.errors import ModelError
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.scripted import ScriptedModel
from support.tiny_models import tiny_llama, tiny_t5

ALL = {
    CountsParameters,
    ForecastsTokens,
    FormatsChat,
    Generates,
    OffersFloat32,
    Represents,
    ScoresOptions,
    StreamsScores,
    core.TestsItself,  # by its package, because pytest collects classes of such names
}
PROMPTS = [Prompt("which one of these", ("this", "that one")), Prompt("or", ("a", "b", "c"))]


def capabilities(model: object) -> set[type]:
    return {each for each in ALL if isinstance(model, each)}


def test_the_scripted_model_has_all_but_a_size_and_a_precision() -> None:
    assert capabilities(ScriptedModel()) == ALL - {CountsParameters, OffersFloat32}


@pytest.mark.parametrize("make", [tiny_llama, tiny_t5])
def test_a_network_has_all_of_them(make: Callable[[], Path]) -> None:
    assert capabilities(load_model(str(make()), ModelOptions(device="cpu"))) == ALL


def test_an_object_with_one_method_has_one_capability() -> None:
    class Plain:
        identity = ModelIdentity("plain", "1", "none")

        def score_options(self, prompts: Sequence[Prompt], **_: object) -> list[OptionScores]:
            return [OptionScores((0.0,) * len(prompt.options), 1, 1) for prompt in prompts]

    assert capabilities(Plain()) == {ScoresOptions}
    assert capabilities(object()) == set()


@pytest.mark.parametrize("make", [None, tiny_llama, tiny_t5])
def test_scores_come_one_per_prompt_in_order_and_streamed_scores_are_the_same(make: Callable[[], Path] | None) -> None:
    """What the Protocols promise, for every kind of model that is shipped."""
    model = ScriptedModel() if make is None else load_model(str(make()), ModelOptions(device="cpu"))
    assert isinstance(model, ScoresOptions)
    assert isinstance(model, StreamsScores)
    done: list[int] = []
    scores = model.score_options(PROMPTS, on_done=done.append)
    assert [len(each.logprobs) for each in scores] == [2, 3]
    assert sum(done) == len(PROMPTS)
    streamed: dict[int, OptionScores | ModelError] = {}
    model.stream_scores(PROMPTS, on_scores=streamed.__setitem__)
    assert streamed.keys() == {0, 1}
    for index, expected in enumerate(scores):
        found = streamed[index]
        assert isinstance(found, OptionScores)
        assert found.logprobs == pytest.approx(expected.logprobs, abs=1e-5)
    (alone,) = model.score_options(PROMPTS[1:])
    assert alone.logprobs == pytest.approx(scores[1].logprobs, abs=1e-5)


@pytest.mark.parametrize("make", [None, tiny_llama, tiny_t5])
def test_representations_are_one_float32_vector_per_prompt(make: Callable[[], Path] | None) -> None:
    model = ScriptedModel() if make is None else load_model(str(make()), ModelOptions(device="cpu"))
    assert isinstance(model, Represents)
    vectors = model.represent(PROMPTS)
    assert vectors.shape[0] == len(PROMPTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(model.represent(PROMPTS[1:])[0], vectors[1], atol=1e-5)
