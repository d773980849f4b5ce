"""A plan of a training: weights of single steps are written to folders of their own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from accelerate import Accelerator

from phraseproof.alignment.loop.preparation import prepare
from phraseproof.alignment.loop.work import AlignmentWork, plan_of
from phraseproof.store.training_record import read_record
from phraseproof.training.loop import TrainingLoop
from support import tiny_models
from support.tiny_pairs import shared_wordings
from support.tiny_trainings import CPU, QUICK, Watcher, adapter, train


def test_the_weights_of_named_steps_are_kept(tmp_path: Path) -> None:
    folder = tiny_models.tiny_llama()
    settings = dataclasses.replace(QUICK, schedule="constant")
    prepared, accelerator = prepare(str(folder), shared_wordings(), settings, CPU), Accelerator(cpu=True)
    plan = dataclasses.replace(plan_of(prepared, 1), exports={3: "steps/3"})
    work = AlignmentWork(prepared, accelerator)
    record = TrainingLoop(work, plan, tmp_path / "whole", accelerator, Watcher()).run()
    train(folder, tmp_path / "short", schedule="constant", max_steps=3)
    assert torch.equal(adapter(tmp_path / "whole" / "steps" / "3"), adapter(tmp_path / "short"))

    kept, short = read_record(tmp_path / "whole" / "steps" / "3"), read_record(tmp_path / "short")
    assert kept is not None
    assert short is not None
    assert kept["result"]["step"] == 3
    assert kept["result"]["tokens"] == short["result"]["tokens"]
    assert kept["wordings"] == short["wordings"]
    order = prepared.training_order(1)
    read = sum(prepared.step_tokens(order, step, 1).read for step in range(6))
    assert record["result"]["tokens"]["read"] == read  # type: ignore[index]
    network = dict(prepared.model.network.named_parameters())
    total = sum(each.numel() for each in network.values())
    width = prepared.model.network.config.hidden_size
    assert record["parameters"] == {"trained": 4 * width, "total": total + 4 * width}
