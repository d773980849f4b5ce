"""The error of half precision: measured on a sample, recorded once per plan, or refused with the reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from phraseproof.core import OptionScores, Prompt, ScoresOptions
from phraseproof.errors import ModelError, UsageError
from phraseproof.evaluation.half_precision import half_precision
from phraseproof.evaluation.near_ties import error_of
from phraseproof.evaluation.numerical_error import sample
from phraseproof.models.scripted import ScriptedModel
from support.rounding_model import Rounding, choices, evaluation

INF = math.inf


def test_a_stopped_run_goes_on_with_its_measurement(tmp_path: Path) -> None:
    whole = evaluation(Rounding(), rescore_ties=True)
    run = whole.run(tmp_path / "whole")
    model = Rounding()
    again = evaluation(model, rescore_ties=True)
    again.run(tmp_path / "stopped")
    for path in sorted((tmp_path / "stopped" / "cells").rglob("*.parquet"))[1:]:
        path.unlink()
    measured = len(model.exact_calls)
    resumed = again.run(tmp_path / "stopped")
    assert 64 not in model.exact_calls[measured:]
    assert choices(resumed) == choices(run)
    assert resumed.content["half_precision"] == run.content["half_precision"]


def test_the_weights_in_float32_are_loaded_once_for_the_measurement_and_near_ties(tmp_path: Path) -> None:
    asked: list[Rounding] = []

    class Exact(Rounding):
        def score_options(
            self,
            prompts: Sequence[Prompt],
            *,
            method: str = "loglikelihood",
            on_done: Callable[[int], None] | None = None,
        ) -> list[OptionScores]:
            asked.append(self)
            return super().score_options(prompts, method=method, on_done=on_done)

    class Half(Rounding):
        def in_float32(self) -> ScoresOptions:
            return Exact(None)

    evaluation(Half(), rescore_ties=True).run(tmp_path)
    assert len(asked) > 1
    assert all(each is asked[0] for each in asked)


def test_what_cannot_be_measured_is_said(tmp_path: Path) -> None:
    said: list[str] = []

    class Listener:
        def noted(self, message: str) -> None: ...
        def started(self, *, total: int, done: int) -> None: ...
        def advanced(self, prompts: int) -> None: ...
        def warned(self, message: str) -> None:
            said.append(message)

    run = evaluation(Rounding(broken="memory ran out"), examples=5).run(tmp_path / "run", observer=Listener())
    found = half_precision(run)
    assert found is not None
    assert (found.why_not, found.bound, found.sampled_prompts) == ("memory ran out", None, 0)
    assert said == ["the error of bfloat16 could not be measured: memory ran out"]
    with pytest.raises(ModelError, match="--rescore-ties: near-ties cannot be scored again: memory ran out"):
        evaluation(Rounding(broken="memory ran out"), examples=5, rescore_ties=True).run(tmp_path / "ties")


def test_a_model_elsewhere_cannot_score_again() -> None:
    with pytest.raises(UsageError, match="--rescore-ties: this model cannot be loaded in float32"):
        evaluation(ScriptedModel(), examples=5, rescore_ties=True)


def test_the_sample_is_spread_over_cells_and_always_the_same() -> None:
    jobs = evaluation(Rounding(), examples=30, wordings=20).planned
    drawn = sample(jobs, 10)
    assert [job.cell.instruction for job, _ in drawn] == [f"mine/n{number}" for number in range(0, 20, 2)]
    assert all(len(examples) == 1 for _, examples in drawn)
    assert drawn == sample(jobs, 10)
    assert len({examples[0].id for _, examples in drawn}) > 1
    few = sample(evaluation(Rounding(), examples=3, wordings=2).planned, 10)
    assert [len(examples) for _, examples in few] == [3, 3]


@pytest.mark.parametrize(
    ("half", "full", "lead", "changed"),
    [
        ([-1.0, -2.0], [-1.0, -2.0], 0.0, False),
        ([-1.0, -1.5, -9.0], [-1.25, -1.0, -9.0], 0.75, True),
        ([-1.0, -INF], [-1.5, -INF], 0.0, False),
        ([-INF, -INF], [-INF, -INF], 0.0, False),
        ([-1.0, -INF], [-1.0, -3.0], INF, False),
        ([math.nan, -1.0], [-2.0, -1.0], INF, True),
        ([-1.0], [-2.0], 0.0, False),
    ],
)
def test_the_error_of_one_prompt(half: list[float], full: list[float], lead: float, *, changed: bool) -> None:
    assert error_of(half, full, ["x"] * len(half), "loglikelihood") == (lead, changed)
