"""The forecast counts what a training does, and trains nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from phraseproof.alignment.loop import forecast as module
from phraseproof.alignment.loop.batches import rows_of
from phraseproof.alignment.loop.forecast import AlignmentForecast, forecast_training
from phraseproof.alignment.loop.preparation import Preparation, prepare
from phraseproof.alignment.methods import METHODS
from phraseproof.alignment.trainer import forecast
from phraseproof.errors import ModelError
from support import tiny_models
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU, QUICK, Watcher, train


@pytest.fixture(params=["t5", "llama"])
def model(request: pytest.FixtureRequest) -> Path:
    return tiny_models.tiny_t5() if request.param == "t5" else tiny_models.tiny_llama()


def forecast_of(model: Path, *, is_timed: bool = False, **changes: Any) -> tuple[Preparation, AlignmentForecast]:
    prepared = prepare(str(model), shared_wordings(12), dataclasses.replace(QUICK, **changes), CPU)
    return prepared, forecast_training(prepared, Accelerator(cpu=True), is_timed=is_timed)


@pytest.mark.parametrize(("method", "virtual"), [("pt+kl", 4), ("ft", 0)])
def test_tokens_are_those_of_the_batches(model: Path, method: str, virtual: int) -> None:
    prepared, found = forecast_of(model, method=method)
    order = prepared.train.order(prepared.method, prepared.settings, with_paraphrases=True)
    read: list[int] = []
    trained: list[int] = []
    for step in range(6):
        lengths: list[tuple[int, int]] = []
        for (draw,) in (order.batch(2 * step), order.batch(2 * step + 1)):
            tokens = prepared.train.tokens[draw.pair]
            prompts = [tokens.reference, *(tokens.paraphrases[place] for place in draw.paraphrases)]
            assert len(prompts) == 4
            lengths += [(len(prompt), len(tokens.target)) for prompt in prompts]
        read.append(sum(prompt + target + virtual for prompt, target in lengths))
        trained.append(sum(target for _, target in lengths))
    assert found.tokens == (round(sum(read) / 6), round(sum(trained) / 6))
    assert found.longest.read == max(read)
    assert found.prompts_per_step == 8
    assert found.counted_steps == 6
    assert found.timing is None
    assert found.seconds is None


def test_methods_that_draw_one_wording_read_one_prompt_per_batch() -> None:
    (name,) = [name for name, method in METHODS.items() if method.draws_one and method.trains == "prompt"][:1]
    prepared, found = forecast_of(tiny_models.tiny_llama(), method=name)
    order = prepared.training_order(processes=1)
    rows = [rows_of(prepared.train.tokens, order.batch(index)) for index in range(12)]
    assert {len(batch) for batch in rows} == {1}
    assert found.prompts_per_step == 2
    read = sum(4 + len(row.context) + len(row.target) for batch in rows for row in batch)
    assert found.tokens.read == round(read / 6)


def test_a_prompt_whose_options_are_all_read_is_one_prompt() -> None:
    pairs = [dataclasses.replace(pair, options=(pair.target, "x", "y")) for pair in shared_wordings(12)]
    settings = dataclasses.replace(QUICK, method="paft+choice")
    prepared = prepare(str(tiny_models.tiny_llama()), pairs, settings, CPU)
    assert len(rows_of(prepared.train.tokens, prepared.training_order(processes=1).batch(0))) == 3
    assert forecast_training(prepared, Accelerator(cpu=True), is_timed=False).prompts_per_step == 2


def test_steps_and_evaluations_are_those_of_the_training(tmp_path: Path) -> None:
    watcher = Watcher()
    changes: dict[str, Any] = {"max_steps": 5, "epochs": 3, "eval_every": 2}
    train(tiny_models.tiny_llama(), tmp_path / "a", pairs=shared_wordings(12), observer=watcher, **changes)
    prepared, found = forecast_of(tiny_models.tiny_llama(), **changes)
    assert [(found.steps, 0)] == watcher.starts
    assert found.evaluations == len([report for report in watcher.reports if report.held_out is not None])
    assert (found.pairs, found.held_out_pairs) == (len(prepared.train.pairs), len(prepared.held_out.pairs))
    assert found.held_out_wordings == 1
    assert found.epochs == 5 * 2 / 9


def test_timed_steps_leave_the_weights_and_files_alone(model: Path, tmp_path: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in model.iterdir()}
    prepared, found = forecast_of(model, is_timed=True, method="ft+kl", learning_rate=0.5)
    assert found.timing is not None
    assert found.timing.steps == 5
    assert found.timing.step_seconds > 0
    assert found.timing.evaluation_seconds > 0
    assert found.seconds == 6 * found.timing.step_seconds + found.evaluations * found.timing.evaluation_seconds
    other = prepare(str(model), shared_wordings(12), QUICK, CPU).model.network
    names = dict(other.named_parameters())
    assert all(torch.equal(value, names[name]) for name, value in prepared.model.network.named_parameters())
    assert {path.name: path.stat().st_mtime_ns for path in model.iterdir()} == before


def test_small_models_are_timed_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(module, "forecast_training", lambda *_, is_timed: seen.append(is_timed))
    for is_timed in (None, True, False):
        forecast(str(tiny_models.tiny_t5()), shared_wordings(), QUICK, model_options=CPU, is_timed=is_timed)
    assert seen == [True, True, False]


def test_a_loss_that_is_not_finite_is_one_line() -> None:
    prepared, _ = forecast_of(tiny_models.tiny_llama())
    with torch.no_grad():
        prepared.model.network.get_output_embeddings().weight.fill_(torch.inf)
    with pytest.raises(ModelError, match="not a finite number in step"):
        forecast_training(prepared, Accelerator(cpu=True), is_timed=True)
