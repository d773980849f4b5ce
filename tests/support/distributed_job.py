"""What each process of a training over several processes runs; started by tests/alignment/test_several_processes.py."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import accelerate
import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from phraseproof.alignment.loop.log import SilentAlignmentObserver, StepReport
from phraseproof.alignment.pairs import load_pairs
from phraseproof.alignment.trainer import AlignmentSettings, train
from phraseproof.models import ModelOptions

LAYERS = ("T5Block", "LlamaDecoderLayer")


class Sharding(accelerate.Accelerator):
    """Accelerate shards on accelerators alone; this cuts the weights over processes on a CPU as it would there."""

    def prepare(self, model: Any, optimizer: torch.optim.Optimizer) -> tuple[Any, torch.optim.Optimizer]:  # type: ignore[override]
        mesh = init_device_mesh("cpu", (self.num_processes,))
        for module in [module for module in model.modules() if type(module).__name__ in LAYERS]:
            fully_shard(module, mesh=mesh)
        fully_shard(model, mesh=mesh)
        settings = {name: optimizer.defaults[name] for name in ("lr", "weight_decay")}
        return model, torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], **settings)

    @contextlib.contextmanager
    def no_sync(self, model: Any) -> Generator[None]:
        model.set_requires_gradient_sync(False)
        yield
        model.set_requires_gradient_sync(True)

    def clip_grad_norm_(self, parameters: Any, max_norm: float, norm_type: float = 2.0) -> Any:
        norm: Any = torch.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type)
        return norm.full_tensor() if hasattr(norm, "full_tensor") else norm

    def unwrap_model(self, model: Any, *_: object, **__: object) -> Any:
        return model


class Stopping(SilentAlignmentObserver):
    """Kills the process in the middle of a training; the launcher then kills the others."""

    def __init__(self, step: int) -> None:
        self._step = step

    def stepped(self, report: StepReport) -> None:
        if report.step == self._step:
            os._exit(1)


def main() -> None:
    model, pairs, out, method, accumulation, wrapper, stop = sys.argv[1:]
    if wrapper == "sharded":
        accelerate.Accelerator = Sharding
    settings = AlignmentSettings(
        method=method,
        num_tokens=4,
        learning_rate=0.001,
        max_steps=4,
        save_every=2,
        held_out_fraction=0.25,
        gradient_accumulation=int(accumulation),
    )
    options = ModelOptions(device="cpu")
    train(model, load_pairs(Path(pairs)), Path(out), settings, model_options=options, observer=Stopping(int(stop)))


if __name__ == "__main__":
    main()
