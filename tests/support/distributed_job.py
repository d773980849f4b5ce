"""What each process of a training over several processes runs; started by tests/alignment/test_several_processes.py."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import accelerate
import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from phraseproof.alignment.pairs import load_pairs
from phraseproof.alignment.trainer import AlignmentSettings, train
from phraseproof.models import ModelOptions
from phraseproof.training.log import SilentTrainingObserver, StepReport
from support.tiny_tunings import tune_tiny

LAYERS = ("T5Block", "LlamaDecoderLayer")

TUNED: dict[str, Any] = {"examples_per_step": 13, "examples_per_pass": 3, "max_steps": 4, "epochs": 1}
"""48 examples: the fourth step has 9. Of 13, one process has 7 and the other 6, so that its third pass is empty."""


class Sharding(accelerate.Accelerator):
    """Accelerate shards on accelerators alone; this cuts the weights over processes on a CPU as it would there."""

    def prepare(self, model: Any, optimizer: torch.optim.Optimizer) -> tuple[Any, torch.optim.Optimizer]:  # type: ignore[override]
        names = {parameter: name for name, parameter in model.named_parameters()}
        mesh = init_device_mesh("cpu", (self.num_processes,))
        for module in [module for module in model.modules() if type(module).__name__ in LAYERS]:
            fully_shard(module, mesh=mesh)
        fully_shard(model, mesh=mesh)
        # The groups of the optimizer, of the parameters that sharding put in place of its own.
        after = dict(model.named_parameters())
        groups = [
            {"params": [after[names[each]] for each in group["params"]], "weight_decay": group["weight_decay"]}
            for group in optimizer.param_groups
        ]
        return model, torch.optim.AdamW(groups, lr=optimizer.defaults["lr"])

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


class Stopping(SilentTrainingObserver):
    """Kills the process in the middle of a training; what started it then kills the others."""

    def __init__(self, step: int) -> None:
        self._step = step

    def stepped(self, report: StepReport) -> None:
        if report.step == self._step:
            os._exit(1)


class Job(NamedTuple):
    """One training.

    Attributes:
        wrapper: `copied`, or `sharded`: how the weights are on the processes.
        processes: how many; of the same batches in total.
        stop: the step in which a process dies; -1 for none.
        by_torchrun: whether torchrun's launcher starts the processes.
    """

    model: str
    pairs: str
    out: str
    method: str
    wrapper: str
    processes: int
    stop: int = -1
    by_torchrun: bool = False


class Ended(NamedTuple):
    """How a training ended: the exit code, 0 if all went well, and the names of the files that it left."""

    code: int
    files: list[str]


def run_job(job: Job) -> None:
    """Train in this process, which is one of `job.processes`."""
    if job.wrapper == "sharded":
        accelerate.Accelerator = Sharding
    if job.method == "tune":
        tune_tiny(Path(job.model), Path(job.out), data=Path(job.pairs), observer=Stopping(job.stop), **TUNED)
        return
    settings = AlignmentSettings(
        method=job.method,
        num_tokens=4,
        learning_rate=0.001,
        max_steps=4,
        save_every=2,
        held_out_fraction=0.25,
        gradient_accumulation=4 // job.processes,
    )
    options = ModelOptions(device="cpu")
    observer = Stopping(job.stop)
    train(job.model, load_pairs(Path(job.pairs)), Path(job.out), settings, model_options=options, observer=observer)


def run_forked(job: Job) -> Ended:
    """Train in forks of this process, which has imported everything, with the environment that torchrun gives."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children: list[int] = []
    for rank in range(job.processes):
        child = os.fork()
        if child:
            children.append(child)
            continue
        if job.processes > 1:
            names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": job.processes, "LOCAL_WORLD_SIZE": job.processes}
            os.environ |= {name: str(value) for name, value in names.items()}
            os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        code = 1
        try:
            run_job(job)
            code = 0
        except BaseException:  # noqa: BLE001 - a fork must not go on as its parent
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)
    code = 0
    while children:
        child, status = os.wait()
        children.remove(child)
        if os.waitstatus_to_exitcode(status) and not code:
            code = os.waitstatus_to_exitcode(status)
            for other in children:
                os.kill(other, signal.SIGKILL)
    return Ended(code, sorted(path.name for path in Path(job.out).iterdir()))


def run_by_torchrun(job: Job) -> Ended:
    """Train in forks that the launcher behind `torchrun --standalone` starts, with the environment that it sets."""
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=job.processes,
        run_id=job.method,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        start_method="fork",
    )
    elastic_launch(config, run_job)(job)  # raises if a process fails
    return Ended(0, sorted(path.name for path in Path(job.out).iterdir()))


def main() -> None:
    """Take jobs as JSON, do each in forks, and print how they ended."""
    jobs = [Job(*each) for each in json.loads(sys.argv[1])]
    # The launcher starts threads, after which no other fork is safe.
    assert not any(first.by_torchrun > second.by_torchrun for first, second in pairwise(jobs))
    # What a training imports late, so that each fork has it.
    for name in ("llama", "t5"):
        importlib.import_module(f"transformers.models.{name}.modeling_{name}")

    print(json.dumps([(run_by_torchrun if job.by_torchrun else run_forked)(job) for job in jobs]))


if __name__ == "__main__":
    main()
