"""The optimizer's steps: equal to a plain torch loop, repeatable from a checkpoint, and none on a gradient of NaN."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from phraseproof.alignment.loop.batch_order import Draw
from phraseproof.alignment.loop.preparation import Preparation, prepare
from phraseproof.alignment.loop.work import AlignmentWork
from phraseproof.alignment.soft_prompt import SoftPrompt
from phraseproof.alignment.trainer import AlignmentSettings
from phraseproof.alignment.trainer import train as run_training
from phraseproof.errors import ModelError
from phraseproof.models import load_model
from phraseproof.training.checkpoint import TrainingState
from phraseproof.training.loss_terms import MeanLosses
from phraseproof.training.optimization import NotFiniteError
from phraseproof.training.trainable_model import TrainableModel, weights_hash
from support import tiny_models
from support.slow_losses import slow_logits
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU, QUICK, Watcher, adapter


@pytest.fixture(params=["t5", "llama"])
def model(request: pytest.FixtureRequest) -> Path:
    return tiny_models.tiny_t5() if request.param == "t5" else tiny_models.tiny_llama()


def work(model: Path, **changes: Any) -> tuple[Preparation, AlignmentWork]:
    prepared = prepare(str(model), shared_wordings(), dataclasses.replace(QUICK, **changes), CPU)
    return prepared, AlignmentWork(prepared, Accelerator(cpu=True))


def take_steps(prepared: Preparation, trained: AlignmentWork, steps: range) -> None:
    order = prepared.train.order(prepared.method, prepared.settings, with_paraphrases=True)
    for step in steps:
        take_step(trained, step, [order.batch(step)], 0.05)


def take_step(trained: AlignmentWork, step: int, drawn: list[list[Draw]], rate: float) -> tuple[MeanLosses, float]:
    return trained.optimization.step(step, trained.passes_over(step, drawn), rate)


@pytest.mark.parametrize(
    ("method", "changes"), [("pt+kl", {}), ("ft+kl", {}), ("lora+kl", {"lora_dropout": 0.5}), ("dora+kl", {})]
)
def test_gradient_checkpointing_trains_to_the_same_bytes(model: Path, method: str, changes: dict[str, float]) -> None:
    reports: list[object] = []
    weights: list[dict[str, torch.Tensor]] = []
    for checkpointing in (False, True):
        prepared, trained = work(model, method=method, gradient_checkpointing=checkpointing, **changes)
        order = prepared.train.order(prepared.method, prepared.settings, with_paraphrases=True)
        reports.append(
            [take_step(trained, step, [order.batch(2 * step), order.batch(2 * step + 1)], 0.05) for step in (0, 1)]
        )
        weights.append(trained.optimization.weights())
    assert reports[0] == reports[1]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_network_whose_layers_cannot_be_run_again_is_refused() -> None:
    with pytest.raises(ModelError, match="--gradient-checkpointing"):
        TrainableModel(torch.nn.Linear(2, 2), None, joined=True, pad_id=0, gradient_checkpointing=True)


@pytest.mark.parametrize(
    ("method", "changes"),
    [("pt+kl", {}), ("ft", {}), ("lora+kl", {}), ("dora+kl", {}), ("lora+kl", {"lora_dropout": 0.5})],
)
def test_a_restored_checkpoint_continues_to_the_same_bytes(model: Path, method: str, changes: dict[str, float]) -> None:
    prepared, whole = work(model, method=method, **changes)
    take_steps(prepared, whole, range(2))
    saved = whole.optimization.checkpoint(TrainingState(step=2))
    take_steps(prepared, whole, range(2, 4))
    resumed, other = work(model, method=method, **changes)
    other.optimization.restore(saved)
    take_steps(resumed, other, range(2, 4))
    found, expected = other.optimization.weights(), whole.optimization.weights()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)
    assert any(not torch.equal(expected[name], saved.weights[name]) for name in found)


def test_a_step_on_nan_changes_no_weight(model: Path) -> None:
    prepared, trained = work(model)
    before = trained.optimization.weights()
    trained.optimization.set_weights({name: torch.full_like(value, torch.nan) for name, value in before.items()})
    with pytest.raises(NotFiniteError, match="the loss was not a finite number in step 1"):
        take_steps(prepared, trained, range(1))
    trained.optimization.set_weights(before)
    assert all(torch.equal(value, before[name]) for name, value in trained.optimization.weights().items())
    assert trained.optimization.checkpoint(TrainingState()).optimizer == {}


def test_an_exported_adapter_holds_the_present_weights(model: Path, tmp_path: Path) -> None:
    prepared, trained = work(model)
    take_steps(prepared, trained, range(1))
    trained.export(tmp_path)
    (weight,) = trained.optimization.weights().values()
    assert torch.equal(adapter(tmp_path), weight)


@pytest.mark.parametrize("method", ["lora+kl", "dora+kl"])
def test_dropout_is_drawn_from_seed_and_step(model: Path, method: str) -> None:
    norms: list[list[float]] = []
    for dropout, seed in ((0.0, 0), (0.5, 0), (0.5, 0), (0.5, 1)):
        prepared, trained = work(model, method=method, lora_dropout=dropout, seed=0)
        trained._settings = dataclasses.replace(prepared.settings, seed=seed)
        order = prepared.train.order(prepared.method, prepared.settings, with_paraphrases=True)
        norms.append([take_step(trained, step, [order.batch(0)], 1e-9)[1] for step in range(2)])
    none, some, again, other = norms
    assert none[0] == pytest.approx(none[1], rel=1e-5)
    assert some == again
    assert abs(some[0] / some[1] - 1) > 1e-3
    assert abs(some[0] / other[0] - 1) > 1e-3


def test_a_released_network_is_as_it_was_loaded(model: Path) -> None:
    prepared, trained = work(model, method="lora+kl")
    take_steps(prepared, trained, range(1))
    assert trained.optimization.base_hash == weights_hash(load_model(str(model), CPU).network)  # type: ignore[attr-defined]
    trained.release()
    network = prepared.model.network
    assert weights_hash(network) == trained.optimization.base_hash
    assert not any("lora" in name or weight.requires_grad for name, weight in network.named_parameters())


def test_a_changed_base_is_noticed() -> None:
    _, trained = work(tiny_models.tiny_t5())
    trained.optimization.check_base()
    with torch.no_grad():
        next(trained.optimization.model.network.parameters()).add_(1)
    with pytest.raises(ModelError, match="frozen model's weights changed"):
        trained.optimization.check_base()


def plain_training(model: Path, settings: AlignmentSettings) -> list[tuple[float, torch.Tensor]]:
    """Each step's loss and the soft prompt after it, from unpadded rows, autograd and torch's AdamW alone."""
    found = prepare(str(model), shared_wordings(), settings, CPU)
    soft = SoftPrompt.create(
        found.model.network,
        n=settings.num_tokens,
        placement="input",
        init=settings.init,
        seed=settings.seed,
        tokenizer=found.model.tokenizer,
    ).weight
    order = found.train.order(found.method, settings, with_paraphrases=True)
    optimizer = torch.optim.AdamW([soft], lr=found.learning_rate, weight_decay=settings.weight_decay)
    accumulation = settings.gradient_accumulation
    seen: list[tuple[float, torch.Tensor]] = []
    for step in range(settings.max_steps or 0):
        losses: list[torch.Tensor] = []
        for index in range(step * accumulation, (step + 1) * accumulation):
            (draw,) = order.batch(index)
            tokens = found.train.tokens[draw.pair]
            contexts = [tokens.reference, *(tokens.paraphrases[place] for place in draw.paraphrases)]
            rows = [slow_logits(found.model, soft, each, tokens.target).log_softmax(-1) for each in contexts]
            places = range(len(tokens.target))
            ce = -torch.stack([row[place, tokens.target[place]] for row in rows for place in places]).mean()
            fixed = rows[0].detach()
            kl = torch.stack([(row.exp() * (row - fixed)).sum() for row in rows[1:]]).mean()
            losses.append((1 - settings.lambda_) * ce + settings.lambda_ * kl)
        loss = torch.stack(losses).mean()
        optimizer.zero_grad()
        loss.backward()
        assert soft.grad is not None
        norm = soft.grad.norm()
        if settings.max_grad_norm is not None and norm > settings.max_grad_norm:
            soft.grad *= settings.max_grad_norm / norm
        optimizer.step()
        seen.append((loss.item(), soft.detach().clone()))
    return seen


@pytest.mark.parametrize("max_grad_norm", [None, 0.05])
def test_steps_equal_those_of_a_plain_loop(model: Path, tmp_path: Path, max_grad_norm: float | None) -> None:
    settings = dataclasses.replace(
        QUICK, max_steps=3, learning_rate=0.02, weight_decay=0.1, schedule="constant", max_grad_norm=max_grad_norm
    )
    watcher = Watcher()
    run_training(str(model), shared_wordings(), tmp_path / "a", settings, model_options=CPU, observer=watcher)
    expected = plain_training(model, settings)
    assert [report.loss for report in watcher.reports[1:]] == pytest.approx([loss for loss, _ in expected], rel=1e-4)
    torch.testing.assert_close(adapter(tmp_path / "a"), expected[-1][1], atol=1e-4, rtol=1e-4)
    if max_grad_norm is not None:
        assert any((report.gradient_norm or 0) > max_grad_norm for report in watcher.reports)
