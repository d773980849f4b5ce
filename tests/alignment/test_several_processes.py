"""Training over several processes: the same numbers as in one, copied or sharded, and killed in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from safetensors.torch import load_file

from phraseproof.alignment.pairs import save_pairs
from support import distributed_job, tiny_models
from support.distributed_job import Ended, Job
from support.tiny_pairs import shared_wordings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FILES = {"pt+kl": "adapter_model.safetensors", "ft+kl": "model.safetensors", "tune": "model.safetensors"}


class Case(NamedTuple):
    """A method or `tune`, the weights that all processes have or share, a model, and whether torchrun starts both."""

    method: str
    wrapper: str
    model: Callable[[], Path]
    by_torchrun: bool


CASES = (
    Case("pt+kl", "copied", tiny_models.tiny_t5, by_torchrun=True),
    Case("ft+kl", "sharded", tiny_models.tiny_llama, by_torchrun=False),
    Case("tune", "sharded", tiny_models.tiny_t5, by_torchrun=False),
)


def train(*jobs: Job) -> list[Ended]:
    """Train one after another, in forks of one process."""
    command = [sys.executable, distributed_job.__file__, json.dumps(jobs)]
    paths = [str(Path(distributed_job.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    ended = [Ended(*each) for each in json.loads(done.stdout.splitlines()[-1])]
    for job, each in zip(jobs, ended, strict=True):
        assert (each.code == 0) == (job.stop < 0), done.stderr[-3000:]
    return ended


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every case in one process, in two, and in two of which one dies at step 3 and that go on; a folder for each.

    One process starts all, because its imports take longer than the trainings.
    """
    out = tmp_path_factory.mktemp("trained")
    save_pairs(shared_wordings(), out / "pairs.jsonl")
    jobs: list[Job] = []
    for method, wrapper, model, by_torchrun in CASES:
        common = (str(model()), str(out / "pairs.jsonl"))
        both = Job(*common, str(out / method / "two"), method, wrapper, 2, by_torchrun=by_torchrun)
        dying = both._replace(out=str(out / method / "killed"), stop=3, by_torchrun=False)
        jobs += [Job(*common, str(out / method / "one"), method, "copied", 1), dying, dying._replace(stop=-1), both]
    jobs.sort(key=lambda job: job.by_torchrun)
    for job, ended in zip(jobs, train(*jobs), strict=True):
        assert (FILES[job.method] in ended.files) == (job.stop < 0)
    return out


@pytest.mark.parametrize("method", [case.method for case in CASES])
def test_two_processes_do_what_one_does_killed_or_not(method: str, trained: Path) -> None:
    """Two processes with half the accumulation see the same batches; only the order of sums differs from one's."""
    one, two, killed = (trained / method / name for name in ("one", "two", "killed"))
    expected, found = load_file(one / FILES[method]), load_file(two / FILES[method])
    assert expected.keys() == found.keys()
    for name, weights in expected.items():
        torch.testing.assert_close(found[name], weights, atol=1e-4, rtol=1e-4)
    assert (killed / FILES[method]).read_bytes() == (two / FILES[method]).read_bytes()
    steps = [json.loads(line)["step"] for line in (killed / "training.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 4]
