"""Timed steps are the longest one and the first ones, at a learning rate of 0."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from phraseproof.errors import ModelError
from phraseproof.training.optimization import NotFiniteError
from phraseproof.training.timing import TIMED_STEPS, time_steps
from phraseproof.training.work import StepTokens

TOKENS = [StepTokens(10, 1), StepTokens(20, 2), StepTokens(90, 3), *([StepTokens(30, 1)] * 7)]


class Fake:
    """A training that notes what is done with it."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.done: list[Any] = []
        self._breaks = breaks
        self.optimization: Any = SimpleNamespace(step=self.step, checkpoint=lambda _: self.done.append("checkpoint"))

    def passes(self, step: int) -> list[Any]:
        return [step]

    def step(self, step: int, passes: list[Any], rate: float) -> None:
        if self._breaks:
            raise NotFiniteError("the loss was not a finite number in step 1")
        assert passes == [step]
        self.done.append((step, rate))

    def release(self) -> None:
        self.done.append("released")


def test_the_longest_step_comes_first_and_is_not_timed() -> None:
    work: Any = Fake()
    found = time_steps(work, TOKENS, lambda: 7.0, torch.device("cpu"))
    assert work.done == [(2, 0.0), "checkpoint", *((step, 0.0) for step in range(TIMED_STEPS)), "released"]
    assert (found.steps, found.evaluation_seconds) == (TIMED_STEPS, 7.0)
    work = Fake()
    assert time_steps(work, TOKENS, lambda: 7.0, torch.device("cpu"), timed_seconds=1e-12).steps == 1


def test_a_loss_that_is_not_finite_is_one_line() -> None:
    work: Any = Fake(breaks=True)
    with pytest.raises(ModelError, match="in step 1, before anything was trained"):
        time_steps(work, TOKENS, lambda: 7.0, torch.device("cpu"))
    assert work.done == ["released"]
