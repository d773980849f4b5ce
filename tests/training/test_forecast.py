"""The time of a whole training from that of a step, and the forecast as JSON has it."""

from __future__ import annotations

import dataclasses
import json

from phraseproof.training.forecast import TrainingForecast, mean_tokens
from phraseproof.training.timing import TrainingTiming
from phraseproof.training.work import StepTokens

FORECAST = TrainingForecast(
    steps=100,
    epochs=8.0,
    evaluations=9,
    tokens=StepTokens(1200, 32),
    longest=StepTokens(1500, 40),
    counted_steps=100,
    memory_there=None,
    timing=TrainingTiming(6.0, 20.0, None, 5),
)


def test_seconds_are_those_of_steps_and_evaluations() -> None:
    assert FORECAST.seconds == 100 * 6 + 9 * 20
    assert dataclasses.replace(FORECAST, timing=None).seconds is None


def test_the_record_names_every_value() -> None:
    found = json.loads(json.dumps(FORECAST.as_record()))
    assert found["tokens"] == {"read": 1200, "trained": 32}
    assert found["longest"] == {"read": 1500, "trained": 40}
    assert found["timing"] == {"step_seconds": 6.0, "evaluation_seconds": 20.0, "peak_memory": None, "steps": 5}
    assert (found["seconds"], found["epochs"]) == (780.0, 8.0)
    assert json.loads(json.dumps(dataclasses.replace(FORECAST, timing=None).as_record()))["timing"] is None


def test_the_mean_step_is_rounded() -> None:
    assert mean_tokens([StepTokens(10, 3), StepTokens(11, 3), StepTokens(13, 5)]) == (11, 4)
