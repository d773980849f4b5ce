"""Training over several processes: the same numbers as in one, copied or sharded, and killed in the middle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from phraseproof.alignment.pairs import save_pairs
from support import distributed_job, tiny_models
from support.tiny_pairs import shared_wordings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
FILES = {"pt+kl": "adapter_model.safetensors", "ft+kl": "model.safetensors"}


def train(out: Path, method: str, wrapper: str, *, processes: int, model: Path, stop: int | None = None) -> int:
    pairs = out.parent / "pairs.jsonl"
    save_pairs(shared_wordings(), pairs)
    launcher = TORCHRUN if processes == 2 else ()
    arguments = (model, pairs, out, method, 4 // processes, wrapper, -1 if stop is None else stop)
    job = [sys.executable, *launcher, distributed_job.__file__, *map(str, arguments)]
    done = subprocess.run(job, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0 or stop is not None, done.stderr[-3000:]
    return done.returncode


@pytest.mark.parametrize(
    ("method", "wrapper", "model"),
    [("pt+kl", "copied", tiny_models.tiny_t5), ("ft+kl", "sharded", tiny_models.tiny_llama)],
)
def test_two_processes_do_what_one_does_killed_or_not(method: str, wrapper: str, model, tmp_path: Path) -> None:
    """Two processes with half the accumulation see the same batches; only the order of sums differs from one's."""
    folder = model()
    one, two, killed = (tmp_path / name for name in ("one", "two", "killed"))
    train(one, method, "copied", processes=1, model=folder)
    train(two, method, wrapper, processes=2, model=folder)
    expected, found = load_file(one / FILES[method]), load_file(two / FILES[method])
    assert expected.keys() == found.keys()
    for name, weights in expected.items():
        torch.testing.assert_close(found[name], weights, atol=1e-4, rtol=1e-4)

    assert train(killed, method, wrapper, processes=2, model=folder, stop=3) != 0
    assert not (killed / FILES[method]).exists()
    train(killed, method, wrapper, processes=2, model=folder)
    assert (killed / FILES[method]).read_bytes() == (two / FILES[method]).read_bytes()
    steps = [json.loads(line)["step"] for line in (killed / "training.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 4]
