"""What half precision means for a run, with a model whose rounding is known, and with tiny networks."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from phraseproof.core import OptionScores, Prompt
from phraseproof.evaluation.half_precision import SAFETY, Rescoring, error_scale, half_precision
from phraseproof.evaluation.near_ties import NearTies, Rescored
from phraseproof.models import ModelOptions, load_model
from phraseproof.store.queries import Run
from support import tiny_models
from support.rounding_model import Rounding, choices, evaluation, margins

INF = math.inf


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
    scored_again = sum(model.exact_calls[1:])
    assert 0 < scored_again < 600
    found = half_precision(run)
    assert found is not None
    assert found.rescored
    assert (found.scored_again, found.changed_again) == (scored_again, sum(half[key] != full[key] for key in full))
    assert found.expected_changes is not None
    assert 0 < found.expected_changes < 0.5


def test_near_ties_that_a_stop_left_unstored_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = half_precision(evaluation(Rounding(), rescore_ties=True).run(tmp_path / "whole"))
    again = NearTies.again
    calls: list[int] = []

    def stopped(self: NearTies, scores: Sequence[OptionScores], prompts: Sequence[Prompt]) -> list[Rescored]:
        found = again(self, scores, prompts)
        calls.append(len(found))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(NearTies, "again", stopped)
    with pytest.raises(KeyboardInterrupt):
        evaluation(Rounding(), rescore_ties=True).run(tmp_path / "stopped")
    found = half_precision(evaluation(Rounding(), rescore_ties=True).run(tmp_path / "stopped"))
    assert whole is not None
    assert found is not None
    assert sum(calls) > (found.scored_again or 0)
    assert (found.scored_again, found.changed_again) == (whole.scored_again, whole.changed_again)


def test_the_expected_number_of_changes_follows_from_leads_and_errors(tmp_path: Path) -> None:
    run = evaluation(Rounding()).run(tmp_path)
    found = half_precision(run)
    assert found is not None
    assert found.largest_error is not None
    assert found.bound is not None
    scale = found.largest_error / sum(1 / n for n in range(1, 65))
    beyond = [margin for margin in margins(run) if margin > found.bound]
    assert found.expected_changes == pytest.approx(sum(math.exp(-margin / scale) for margin in beyond))


def test_the_mean_error_by_the_largest_of_many() -> None:
    """Errors that fall off exponentially, by simulation; and one that scoring again finds to be larger counts."""
    largest = np.random.default_rng(0).exponential(0.3, size=(20_000, 64)).max(axis=1)
    assert np.mean([error_scale(each, 64, []) or 0.0 for each in largest]) == pytest.approx(0.3, rel=0.02)
    again: Rescoring = {"scoring": "loglikelihood", "prompts": 1, "changed_choices": 0, "largest_error": 3.0}
    assert error_scale(1.0, 1, [again]) == 2.0
    assert error_scale(5.0, 1, [again]) == pytest.approx(10 / 3)
    assert error_scale(1.0, 1, [{**again, "largest_error": None}]) is None


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


def test_without_the_check_before_the_run_nothing_is_measured(tmp_path: Path) -> None:
    model = Rounding()
    run = evaluation(model, examples=5).run(tmp_path, self_test=False)
    found = half_precision(run)
    assert model.exact_calls == []
    assert found is not None
    assert found.why_not == "the check before the run was left out"


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
def test_a_networks_bfloat16_choices_become_float32s(
    build: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on CPUs without units for bfloat16, where everything is rounded: elsewhere no choice changes here.
    monkeypatch.setattr("phraseproof.engine.cpu.half_products.half_products_pay", lambda: False)
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
