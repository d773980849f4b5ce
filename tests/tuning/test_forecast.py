"""The forecast counts what a training does, and trains nothing."""

from __future__ import annotations

import dataclasses

import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from phraseproof.tuning.forecast import forecast_tuning
from phraseproof.tuning.preparation import prepare_tuning
from phraseproof.tuning.trainer import forecast_run
from support.tiny_trainings import CPU
from support.tiny_tunings import BRIEF, EXAMPLES, FAMILIES


def test_tokens_steps_and_evaluations() -> None:
    model = str(FAMILIES["llama"]())
    found = forecast_run(model, EXAMPLES, BRIEF, validation={"a": EXAMPLES[:3]}, model_options=CPU, is_timed=False)
    rows = prepare_tuning(model, EXAMPLES, {}, BRIEF, CPU).train.rows
    read = sum(len(row.context) + len(row.target) for row in rows)
    assert (found.steps, found.epochs, found.examples, found.evaluations) == (6, 2.0, 10, 3)
    assert found.epoch_tokens == (read, sum(len(row.target) for row in rows))
    assert found.tokens.read == round(2 * read / 6)
    assert found.validation == {"a": 3}
    assert found.seconds is None


def test_timed_steps_leave_the_weights_alone() -> None:
    folder = FAMILIES["t5"]()
    settings = dataclasses.replace(BRIEF, learning_rate=0.5)
    prepared = prepare_tuning(str(folder), EXAMPLES, {"a": EXAMPLES[:3]}, settings, CPU)
    found = forecast_tuning(prepared, Accelerator(cpu=True), is_timed=True)
    assert found.timing is not None
    assert found.seconds == 6 * found.timing.step_seconds + 3 * found.timing.evaluation_seconds
    names = dict(prepared.model.network.named_parameters())
    stored = load_file(folder / "model.safetensors")
    assert all(torch.equal(value, stored[name]) for name, value in names.items() if name in stored)
