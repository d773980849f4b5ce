"""What a search would compute, against what one has computed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from phraseproof.alignment.loop.forecast import AlignmentForecast
from phraseproof.alignment.loop.preparation import Preparation
from phraseproof.alignment.settings import AlignmentSettings
from phraseproof.evaluation.timing import Timing
from phraseproof.hardening import search_forecast as module
from phraseproof.hardening.search import run_search
from phraseproof.hardening.search_forecast import forecast_search
from phraseproof.hardening.search_plan import SearchInput
from phraseproof.hardening.search_settings import SearchSettings
from phraseproof.instructions.collections import Collection
from phraseproof.models.huggingface.model import HuggingFaceModel
from phraseproof.store.queries import load_run
from phraseproof.training.timing import TrainingTiming
from phraseproof.training.work import StepTokens
from support.harden_data import make_task, make_wordings
from support.tiny_models import tiny_llama


@pytest.mark.slow
@pytest.mark.parametrize(("refit", "seeds"), [(True, (0,)), (False, (0, 1))])
def test_the_forecast_counts_what_is_computed(tmp_path: Path, refit: bool, seeds: tuple[int, ...]) -> None:
    given = SearchInput([make_task(size=33)], [Collection("mine", make_wordings(8))])
    settings = SearchSettings(
        ("pt@majority",),
        {"": (1e-3,)},
        AlignmentSettings(max_steps=1, num_tokens=2, held_out_fraction=0.0),
        validation_limit=7,
        seeds=seeds,
        refit=refit,
    )
    forecast = forecast_search(str(tiny_llama()), given, settings)
    found = run_search(str(tiny_llama()), given, tmp_path, settings)
    every = (*found.searched, *(found.refitted if refit else ()))
    trainings = [training for each in every for training in each.trainings]
    assert forecast.searched + forecast.refitted == len(trainings) == 2
    assert len(list((tmp_path / "trainings").iterdir())) == 2
    for place, name in enumerate(("steps", "prompts", "tokens")):
        assert forecast.training[place] == sum(getattr(training.cost, name) for training in trainings)
    runs = [load_run(path.parent) for path in tmp_path.rglob("run.json")]
    assert forecast.evaluations == len(runs)
    base = [run for run in runs if run.path.parent.name == "base"]
    once = {(row["instruction"], row["example_id"]) for run in base for row in run.outcomes().to_pylist()}
    assert forecast.prompts == len(once) + sum(len(run.outcomes()) for run in runs if run not in base)
    if refit:  # the teacher of the second training answers again what it answered before
        assert len(once) < sum(len(run.outcomes()) for run in base)
    assert forecast.tokens is not None
    assert forecast.tokens > 0
    assert forecast.timing is None


GIVEN = SearchInput([make_task(size=33)], [Collection("mine", make_wordings(8))])
SEVERAL = SearchSettings(
    ("pt", "paft"),
    {"": (1e-3, 3e-3)},
    AlignmentSettings(max_steps=2, num_tokens=2, held_out_fraction=0.0),
    seeds=(0, 1, 2),
    search_seeds=2,
    validation_limit=7,
)


@pytest.mark.parametrize("reported", ["best", "all"])
def test_the_time_is_that_of_every_training_and_token(
    monkeypatch: pytest.MonkeyPatch, reported: Literal["best", "all"]
) -> None:
    """A step takes 2 seconds with `pt` and 3 with `paft`, and 4 timed prompts 0.01 seconds per token."""

    def steps(prepared: Preparation, *_: object, timed_seconds: float, **__: object) -> AlignmentForecast:
        assert timed_seconds == module.TIMED_SECONDS / 2
        per_step = {"pt": 2.0, "paft": 3.0}[prepared.method.name]
        none = StepTokens(0, 0)
        return AlignmentForecast(
            method="",
            learning_rate=0.0,
            steps=2,
            batches_per_step=1,
            epochs=1.0,
            pairs=1,
            held_out_pairs=0,
            validation={},
            held_out_wordings=0,
            prompts_per_step=16.0,
            evaluations=0,
            tokens=none,
            longest=none,
            counted_steps=2,
            memory_there=None,
            timing=TrainingTiming(per_step, 0.0, None, 5),
        )

    def prompts(*given: Any, **_: object) -> Timing:
        return Timing(0.01 * given[3].unique, 4, 0.5)

    monkeypatch.setattr(module, "forecast_training", steps)
    monkeypatch.setattr("phraseproof.evaluation.run.time_prompts", prompts)
    settings = replace(SEVERAL, reported=reported)
    found = forecast_search(str(tiny_llama()), GIVEN, settings, is_timed=None).timing
    counts = forecast_search(str(tiny_llama()), GIVEN, settings)
    assert found is not None
    assert counts.tokens is not None
    assert counts.timing is None
    # In the search, two rates and two seeds of 2 steps, under 2 wordings. Then three seeds under 4 wordings: `pt` reads
    # twice as many prompts, all of nearly equal length, and `paft` as many as before.
    again = 2 * (2 * 2.0) if reported == "best" else 2 * (2 * 2.0) + 2 * 3.0
    assert found.training_seconds == pytest.approx(4 * 2 * (2.0 + 3.0) + 3 * again, rel=0.01)
    assert found.scoring_seconds == pytest.approx(0.01 * counts.tokens)
    assert (found.steps, found.prompts) == (10, 4)
    assert found.seconds == found.training_seconds + found.scoring_seconds


def test_steps_and_prompts_are_timed_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one = replace(SEVERAL, methods=("pt",))
    found = forecast_search(str(tiny_llama()), GIVEN, one, is_timed=True).timing
    assert found is not None
    assert found.training_seconds > 0
    assert found.scoring_seconds > 0
    assert (found.steps, found.prompts) == (2, 14 - 8)  # all but the first batch of prompts
    assert list(tmp_path.iterdir()) == []


def test_without_labels_it_asks_the_model_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> None:
        raise AssertionError("the model was asked")

    monkeypatch.setattr(HuggingFaceModel, "score_options", asked)
    given = SearchInput([make_task(size=33)], [Collection("mine", make_wordings(8))])
    settings = SearchSettings(
        ("pt+kl:labels=none",), {"": (1e-3,)}, AlignmentSettings(max_steps=1, num_tokens=2, held_out_fraction=0.0)
    )
    forecast = forecast_search(str(tiny_llama()), given, settings)
    assert (forecast.searched, forecast.refitted, forecast.training.steps) == (1, 1, 2)
    assert forecast.training.tokens > 0
