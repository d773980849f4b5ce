"""Steps of instruction tuning are those of the Trainer of transformers: losses, gradients, rates and weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Sampler
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, Trainer, TrainingArguments

from phraseproof.training.log import read_log
from phraseproof.tuning.preparation import TuningPreparation, prepare_tuning
from phraseproof.tuning.work import TuningWork
from support.tiny_trainings import CPU
from support.tiny_tunings import BRIEF, EXAMPLES, FAMILIES, tune_tiny


class OurOrder(Sampler[int]):
    """The examples of each epoch, in our order."""

    def __init__(self, prepared: TuningPreparation) -> None:
        self._order, self._epoch = prepared.order, 0

    def __iter__(self) -> Iterator[int]:
        steps = range(self._epoch * self._order.steps_per_epoch, (self._epoch + 1) * self._order.steps_per_epoch)
        self._epoch += 1
        return iter([index for step in steps for index in self._order.step(step)])

    def __len__(self) -> int:
        return len(EXAMPLES)


class PlainTrainer(Trainer):
    """A Trainer that takes examples in our order, and keeps what each step computes."""

    prepared: TuningPreparation

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        del train_dataset
        return OurOrder(self.prepared)

    def training_step(self, *arguments: Any, **named: Any) -> torch.Tensor:
        loss = super().training_step(*arguments, **named)
        step = self.state.global_step
        self.losses: dict[int, float] = getattr(self, "losses", {})
        self.rates: dict[int, float] = getattr(self, "rates", {})
        self.losses[step] = self.losses.get(step, 0.0) + float(loss)
        self.rates[step] = self.optimizer.param_groups[0]["lr"]  # type: ignore[union-attr]
        return loss

    def log(self, logs: dict[str, float], *_: Any, **__: Any) -> None:
        self.norms: list[float] = getattr(self, "norms", [])
        self.norms += [logs["grad_norm"]] if "grad_norm" in logs else []


def padded(rows: list[list[int]], value: int) -> torch.Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value)


def collate(features: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    inputs, labels = ([each[name] for each in features] for name in ("input_ids", "labels"))
    return {
        "input_ids": padded(inputs, 0),
        "attention_mask": padded([[1] * len(row) for row in inputs], 0),
        "labels": padded(labels, -100),
    }


def plain_training(family: str, prepared: TuningPreparation, out: Path) -> PlainTrainer:
    """The same training by transformers alone, on the same tokens."""
    folder = FAMILIES[family]()
    if family == "t5":
        network = AutoModelForSeq2SeqLM.from_pretrained(folder, dropout_rate=0.0, dtype=torch.float32)
        data = [{"input_ids": [*row.context], "labels": [*row.target]} for row in prepared.train.rows]
    else:
        network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        data = [
            {"input_ids": [*row.context, *row.target], "labels": [-100] * len(row.context) + [*row.target]}
            for row in prepared.train.rows
        ]
    arguments = TrainingArguments(
        output_dir=str(out),
        learning_rate=BRIEF.learning_rate,
        weight_decay=BRIEF.weight_decay,
        lr_scheduler_type="cosine",
        warmup_steps=2,
        num_train_epochs=2,
        # With T5, the Trainer takes the mean over passes of their means over tokens, not over the step's tokens.
        per_device_train_batch_size=4 if family == "t5" else 2,
        gradient_accumulation_steps=1 if family == "t5" else 2,
        max_grad_norm=1.0,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        optim="adamw_torch",
        disable_tqdm=True,
    )
    trainer = PlainTrainer(model=network, args=arguments, train_dataset=data, data_collator=collate)  # type: ignore[arg-type]
    trainer.prepared = prepared
    trainer.train()
    return trainer


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_steps_are_those_of_a_plain_trainer(family: str, tmp_path: Path) -> None:
    prepared = prepare_tuning(str(FAMILIES[family]()), EXAMPLES, {}, BRIEF, CPU)
    assert prepared.plan().warmup_steps == 2, "30% of 6 steps, rounded up"
    trainer = plain_training(family, prepared, tmp_path / "plain")
    tune_tiny(FAMILIES[family](), tmp_path / "ours")
    rows = [row for row in read_log(tmp_path / "ours") if row["step"]]
    assert len(rows) == trainer.state.global_step == 6, "the third step of an epoch has two examples"
    assert [row.get("loss") for row in rows] == pytest.approx([*trainer.losses.values()], rel=1e-4)
    assert [row.get("learning_rate") for row in rows] == pytest.approx([*trainer.rates.values()], rel=1e-6)
    assert [row.get("gradient_norm") for row in rows] == pytest.approx(trainer.norms, rel=1e-3)
    found = load_file(tmp_path / "ours" / "model.safetensors")
    expected = trainer.model.state_dict()  # type: ignore[union-attr]
    for name, weights in found.items():
        torch.testing.assert_close(weights, expected[name], atol=2e-4, rtol=1e-3)
    before = load_file(FAMILIES[family]() / "model.safetensors")
    assert all(not torch.equal(weights, before[name]) for name, weights in found.items())


@pytest.mark.parametrize("family", ["t5", "llama"])
def test_the_size_of_passes_and_checkpointing_do_not_change_a_step(family: str) -> None:
    seen: list[tuple[Any, ...]] = []
    variants: list[dict[str, Any]] = [
        {"examples_per_pass": 1},
        {"examples_per_pass": 4},
        {"gradient_checkpointing": True},
    ]
    for changes in variants:
        settings = dataclasses.replace(BRIEF, **changes)
        prepared = prepare_tuning(str(FAMILIES[family]()), EXAMPLES, {}, settings, CPU)
        work = TuningWork(prepared, Accelerator(cpu=True))
        seen.append(tuple(work.optimization.step(step, work.passes(step), 1e-3) for step in range(3)))
        assert work.evaluate() is None
    for other in seen[1:]:
        for (losses, norm), (expected, expected_norm) in zip(other, seen[0], strict=True):
            assert losses.total == pytest.approx(expected.total, rel=1e-4)
            assert norm == pytest.approx(expected_norm, rel=1e-3)
