"""A model that rounds: its error measured, close calls scored again; by a rule whose errors are known, and for real."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phraseproof.core import Example, Instruction, Kind, ModelIdentity, OptionScores, Prompt, ScoresOptions, Task
from phraseproof.errors import ModelError, UsageError
from phraseproof.evaluation.near_ties import NearTies
from phraseproof.evaluation.numerical_error import error_of, sample
from phraseproof.evaluation.run import Evaluation, prepare
from phraseproof.evaluation.spec import EvaluationSpec
from phraseproof.models import ModelOptions, load_model
from phraseproof.models.scripted import ScriptedModel
from phraseproof.store.half_precision import SAFETY, half_precision
from phraseproof.store.queries import Run
from support import tiny_models

INF = math.inf


class Rounding(ScriptedModel):
    """Draws scores by a hash, and rounds log-probabilities to so many decimals, as half precision would.

    Args:
        broken: why the model cannot be loaded in float32.
    """

    def __init__(self, decimals: int | None = 1, *, broken: str | None = None) -> None:
        super().__init__()
        self.decimals, self.broken = decimals, broken
        self.exact_calls: list[int] = []

    @property
    def identity(self) -> ModelIdentity:
        return replace(super().identity, dtype="float32" if self.decimals is None else "bfloat16")

    def in_float32(self) -> ScoresOptions | None:
        if self.decimals is None:
            return None
        exact = Rounding(None, broken=self.broken)
        exact.exact_calls = self.exact_calls
        return exact

    def score_options(
        self, prompts: Sequence[Prompt], *, method: str = "loglikelihood", on_done: Callable[[int], None] | None = None
    ) -> list[OptionScores]:
        scores = super().score_options(prompts, method=method, on_done=on_done)
        if (decimals := self.decimals) is None:
            if self.broken:
                raise ModelError(self.broken)
            self.exact_calls.append(len(prompts))
            return scores
        return [score._replace(logprobs=tuple(round(value, decimals) for value in score.logprobs)) for score in scores]


def evaluation(
    model: Any, *, examples: int = 150, wordings: int = 4, answer: str = "{{ choice }}", **settings: Any
) -> Evaluation:
    """Four options a question, so that rounding to a decimal makes many ties."""
    words = [f"w{number}" for number in range(examples)]
    credit = (1.0, 0.0, 0.0, 0.0)
    task = Task(
        "words",
        Kind.MULTIPLE_CHOICE,
        "words",
        tuple(Example(word, {"question": word}, ("a", "bb", "ccc", "dddd"), credit) for word in words),
    )
    asks = [
        Instruction(id=f"n{n}", collection="mine", template=f"{n}: {{{{ question }}}}?", answer=answer)
        for n in range(wordings)
    ]
    return prepare(model, [task], {"mine": {task.name: asks}}, EvaluationSpec(**settings))


def choices(run: Run) -> dict[tuple[str, str], int]:
    return {(row["instruction"], row["example_id"]): row["predicted"] for row in run.outcomes().to_pylist()}


def margins(run: Run) -> list[float]:
    ordered = [sorted(row["option_logprobs"], reverse=True) for row in run.outcomes().to_pylist()]
    return [values[0] - values[1] for values in ordered]


def test_the_error_is_measured_and_close_choices_are_counted(tmp_path: Path) -> None:
    model = Rounding()
    run = evaluation(model).run(tmp_path)
    found = half_precision(run)
    assert found is not None
    assert (found.dtype, found.sampled_prompts, found.choices, found.rescored) == ("bfloat16", 64, 600, False)
    assert model.exact_calls == [64]
    # Each log-probability moves by up to 0.05, so a lead by up to 0.1.
    assert found.largest_error is not None
    assert found.bound is not None
    assert 0.05 < found.largest_error <= 0.1 + 1e-9
    assert found.bound == pytest.approx(SAFETY * found.largest_error)
    bound = found.bound
    assert found.close == sum(margin <= bound for margin in margins(run)) > 0
    assert run.content["close_calls"]["close"] == found.close


def test_choices_beyond_the_bound_are_those_of_float32(tmp_path: Path) -> None:
    run = evaluation(Rounding()).run(tmp_path / "half")
    full = choices(evaluation(Rounding(None)).run(tmp_path / "full"))
    found = half_precision(run)
    assert found is not None
    assert found.bound is not None
    clear = [margin > found.bound for margin in margins(run)]
    changed = [choice != full[key] for key, choice in choices(run).items()]
    assert any(changed)
    assert not any(one and other for one, other in zip(clear, changed, strict=True))


@pytest.mark.parametrize("scoring", ["loglikelihood", "loglikelihood_norm"])
def test_close_calls_scored_again_leave_float32s_choices(tmp_path: Path, scoring: str) -> None:
    half = choices(evaluation(Rounding(), scoring=scoring).run(tmp_path / "half"))
    full = choices(evaluation(Rounding(None), scoring=scoring).run(tmp_path / "full"))
    model = Rounding()
    run = evaluation(model, scoring=scoring, rescore_ties=True).run(tmp_path / "again")
    assert half != full
    assert choices(run) == full
    assert 0 < sum(model.exact_calls[1:]) < 600
    found = half_precision(run)
    assert found is not None
    assert found.rescored


def test_by_the_byte_the_count_divides_as_choosing_does(tmp_path: Path) -> None:
    run = evaluation(Rounding(), scoring="loglikelihood_norm").run(tmp_path)
    found = half_precision(run)
    assert found is not None
    assert found.bound is not None
    rows = run.outcomes().to_pylist()
    values = [
        sorted(
            (value / len(option) for value, option in zip(row["option_logprobs"], row["options"], strict=True)),
            reverse=True,
        )
        for row in rows
    ]
    assert found.close == sum(each[0] - each[1] <= found.bound for each in values)


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


def test_other_wordings_in_the_same_folder_are_measured_too(tmp_path: Path) -> None:
    evaluation(Rounding(), wordings=1).run(tmp_path)
    run = evaluation(Rounding(), wordings=3).run(tmp_path)
    found = half_precision(run)
    assert found is not None
    assert found.sampled_prompts == 128
    largest = [entry["largest_error"] for entry in run.content["half_precision"].values()]
    assert found.largest_error == pytest.approx(max(largest))


def test_float32_is_not_spoken_of(tmp_path: Path) -> None:
    run = evaluation(Rounding(None), examples=5, rescore_ties=True).run(tmp_path)
    assert half_precision(run) is None
    assert "half_precision" not in run.content
    assert "rescore_ties" not in run.settings


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


def test_without_the_check_before_the_run_nothing_is_measured(tmp_path: Path) -> None:
    model = Rounding()
    run = evaluation(model, examples=5).run(tmp_path, self_test=False)
    found = half_precision(run)
    assert model.exact_calls == []
    assert found is not None
    assert found.why_not == "the check before the run was left out"


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


def test_scores_that_are_not_finite_leave_every_choice_open(tmp_path: Path) -> None:
    class Overflowing(Rounding):
        def score_options(
            self,
            prompts: Sequence[Prompt],
            *,
            method: str = "loglikelihood",
            on_done: Callable[[int], None] | None = None,
        ) -> list[OptionScores]:
            scores = super().score_options(prompts, method=method, on_done=on_done)
            return [score._replace(logprobs=(*score.logprobs[:-1], -INF)) for score in scores]

    run = evaluation(Overflowing(), examples=5).run(tmp_path)
    found = half_precision(run)
    assert found is not None
    assert (found.bound, found.largest_error, found.close, found.choices) == (None, None, 20, 20)
    json.dumps(run.content, allow_nan=False)
    assert NearTies(Rounding(None), None, "loglikelihood").is_near(
        OptionScores((-1.0, -9.0), 1, 1), Prompt("?", ("a", "b"))
    )


def test_how_rarely_twice_the_largest_of_a_sample_is_passed() -> None:
    """The figures that are said of the bound, for errors that fall off exponentially: by simulation."""
    draw = np.random.default_rng(0)
    largest = draw.exponential(size=(40_000, 64)).max(axis=1)
    assert np.exp(-SAFETY * largest).mean() == pytest.approx(2 / (65 * 66), rel=0.05)
    assert np.exp(-largest).mean() == pytest.approx(1 / 65, rel=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("build", [tiny_models.tiny_llama, tiny_models.tiny_t5])
def test_a_networks_bfloat16_choices_become_float32s(build: Callable[[], Path], tmp_path: Path) -> None:
    folder = str(build())

    def run(name: str, dtype: str, **settings: Any) -> Run:
        model = load_model(folder, ModelOptions(device="cpu", dtype=dtype))
        return evaluation(model, answer="{{ letter }}", **settings).run(tmp_path / name)

    half, full = run("half", "bfloat16"), choices(run("full", "float32"))
    found = half_precision(half)
    assert found is not None
    assert found.bound is not None
    assert 0 < found.close < found.choices
    assert choices(half) != full
    again = run("again", "bfloat16", rescore_ties=True)
    assert choices(again) == full
