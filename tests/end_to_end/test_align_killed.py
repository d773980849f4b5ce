"""A training that is killed at any moment and started again ends with the bytes of an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from phraseproof.training.log import read_log
from support import tiny_models
from support.forked import fork_context
from support.tiny_pairs import shared_wordings

STEPS = 40
MAX_KILLS = 5


def train(model: str, out: str, method: str) -> None:
    """One process's work: the public function, with a checkpoint at every step so that kills fall around them."""
    import torch

    from phraseproof.alignment.trainer import AlignmentSettings, train
    from phraseproof.models import ModelOptions

    torch.set_num_threads(1)
    settings = AlignmentSettings(
        method=method, num_tokens=4, learning_rate=0.01, max_steps=STEPS, save_every=1, eval_every=7,
        held_out_fraction=0.25, early_stopping_patience=99,
    )  # fmt: skip
    train(model, shared_wordings(), Path(out), settings, model_options=ModelOptions(device="cpu"))


def steps_done(out: Path) -> int:
    return max((int(path.name.removeprefix("step-")) for path in out.glob(".training/step-*")), default=0)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "method"), [("t5", "pt+kl"), ("llama", "ft+kl")])
def test_killed_many_times_at_random_moments(family: str, method: str, tmp_path: Path) -> None:
    model = str(tiny_models.tiny_t5() if family == "t5" else tiny_models.tiny_llama())
    context = fork_context()
    whole = context.Process(target=train, args=(model, str(tmp_path / "whole"), method))
    whole.start()
    whole.join()
    assert whole.exitcode == 0
    out = tmp_path / "parts"
    moments = random.Random(20231120)
    kills = 0
    for _ in range(MAX_KILLS):
        before = steps_done(out)
        worker = context.Process(target=train, args=(model, str(out), method))
        worker.start()
        # Some kills fall right after a checkpoint appears, some anywhere in the few steps that follow it.
        deadline = time.monotonic() + 60
        while worker.is_alive() and steps_done(out) <= before and time.monotonic() < deadline:
            time.sleep(0.001)
        worker.join(moments.uniform(0.0, 0.15))
        if not worker.is_alive():
            break
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        kills += 1
    else:
        train(model, str(out), method)
    assert kills >= 3
    file = "adapter_model.safetensors" if method.startswith("pt") else "model.safetensors"
    assert (tmp_path / "whole" / file).read_bytes() == (out / file).read_bytes()
    assert load_file(out / file).keys() == load_file(tmp_path / "whole" / file).keys()
    same = ("step", "loss", "ce", "kl", "held_out")
    logs = [[{key: row.get(key) for key in same} for row in read_log(folder)] for folder in (tmp_path / "whole", out)]
    assert logs[0] == logs[1]
    assert not (out / ".training").exists()
