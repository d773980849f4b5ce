"""The distance of two ways to score, by hand, and what the checks report of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from phraseproof.core import OptionScores, Prompt
from phraseproof.engine.plan.batching import BatchLimit
from phraseproof.errors import ModelError
from phraseproof.models.llamacpp.self_test import Encoded, distance, run_checks


def scores(*logprobs: float) -> OptionScores:
    return OptionScores(logprobs, 1, 1, 0, 1, tuple(2 for _ in logprobs))


def test_the_distance_by_hand() -> None:
    ours = [scores(-1.0, -2.0), scores(-1.0, -1.1), scores(-5.0, -1.0, -2.0)]
    theirs = [scores(-1.1, -2.0), scores(-1.2, -1.1), scores(-5.0, -1.0, -2.3)]
    apart = distance(ours, theirs)
    assert apart.largest == pytest.approx(0.3)
    assert apart.mean == pytest.approx((0.1 + 0.2 + 0.3) / 7)
    assert apart.per_token == pytest.approx(apart.mean / 2)
    assert (apart.changed, apart.open, apart.prompts, apart.options) == (1, 1, 3, 7)


class Twin:
    """Scores that differ by a constant from `Subject`'s, and tokens that may differ."""

    def __init__(self, shift: float, token: int) -> None:
        self._shift, self._token = shift, token

    def encode(self, prompts: Sequence[Prompt]) -> Encoded:
        return [((self._token,), ((2,),) * len(prompt.options)) for prompt in prompts]

    def score_options(self, prompts: Sequence[Prompt]) -> list[OptionScores]:
        return [scores(*(-float(place) - self._shift for place in range(len(prompt.options)))) for prompt in prompts]


class Subject(Twin):
    """A model whose dequantised self is `twin`."""

    description = "by hand"

    def __init__(self, twin: Twin | None) -> None:
        super().__init__(0.0, 1)
        self._twin = twin

    def score_in_batches(self, prompts: Sequence[Prompt], *, limit: BatchLimit) -> list[OptionScores]:
        return self.score_options(prompts)

    def in_float32(self) -> Twin:
        if self._twin is None:
            raise ModelError("transformers cannot read it")
        return self._twin


def results(twin: Twin | None) -> dict[str, tuple[bool, str]]:
    prompts = [Prompt(f"question {number}", ("A", "B")) for number in range(40)]
    return {check.name: (check.passed, check.detail) for check in run_checks(Subject(twin), prompts)}


def test_a_near_twin_passes_and_is_described() -> None:
    passed, detail = results(Twin(0.6, 1))["dequantised model"]
    assert passed
    assert "14 prompts, 28 options" in detail
    assert "at most 0.6 nats, by 0.6 on average; 0 choices differ, and 14 are too close" in detail


def test_another_network_fails() -> None:
    assert not results(Twin(1.2, 1))["dequantised model"][0]


def test_other_tokens_fail() -> None:
    passed, detail = results(Twin(0.0, 9))["same tokens"]
    assert not passed
    assert "14 of 14 prompts have other tokens" in detail


def test_what_transformers_cannot_read_is_not_compared() -> None:
    found = results(None)
    assert found["dequantised model"] == (
        True,
        "not compared, so it is not known how exact scores are: transformers cannot read it",
    )
    assert "same tokens" not in found
    assert found["scoring path"] == (True, "by hand")


def test_without_prompts() -> None:
    assert [check.passed for check in run_checks(Subject(None), [])] == [False]
