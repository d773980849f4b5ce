"""Checkpoints are whole or not there, hold every bit, and only the newest two are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from phraseproof.alignment.loop.held_out import HeldOut
from phraseproof.errors import RunError
from phraseproof.training.checkpoint import Checkpoints, TrainingCheckpoint, TrainingState

LOOK = HeldOut(loss=0.1 + 0.2, ce=2.0, kl=0.5, accuracy=0.25, reference_accuracy=0.75, pairs=4)


def saved(step: int) -> TrainingCheckpoint:
    noise = torch.randn(3, 4, generator=torch.Generator().manual_seed(step))
    slots = {"step": torch.tensor(float(step)), "exp_avg": noise / 3}
    return TrainingCheckpoint(
        {"soft.weight": noise}, {"soft.weight": slots}, TrainingState(step, LOOK, LOOK, 1, None, 2, 0.1)
    )


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, HeldOut.from_record)
    assert checkpoints.steps() == []
    checkpoints.save(saved(3))
    loaded, wanted = checkpoints.load(3), saved(3)
    assert loaded.state == wanted.state
    assert torch.equal(loaded.weights["soft.weight"], wanted.weights["soft.weight"])
    assert loaded.optimizer.keys() == wanted.optimizer.keys()
    for key, value in wanted.optimizer["soft.weight"].items():
        assert torch.equal(loaded.optimizer["soft.weight"][key], value)


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, HeldOut.from_record)
    for step in (2, 4, 100, 20):
        checkpoints.save(saved(step))
    assert checkpoints.steps() == [100, 20]


def test_a_half_written_one_does_not_count(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, HeldOut.from_record)
    checkpoints.save(saved(2))
    half = tmp_path / ".training" / ".step-4.tmp"
    half.mkdir()
    (half / "trained.safetensors").write_bytes(b"")
    assert checkpoints.steps() == [2]
    checkpoints.save(saved(4))
    assert checkpoints.steps() == [4, 2]
    assert not half.exists()


@pytest.mark.parametrize("name", ["trained.safetensors", "optimizer.safetensors", "progress.json"])
def test_a_damaged_one_is_one_line(name: str, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, HeldOut.from_record)
    checkpoints.save(saved(2))
    (tmp_path / ".training" / "step-00000002" / name).write_bytes(b"?")
    with pytest.raises(RunError, match="cannot read a checkpoint") as raised:
        checkpoints.load(2)
    assert "step-00000002" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_best_is_replaced_and_all_is_cleared(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, HeldOut.from_record)
    checkpoints.save_best({"a": torch.zeros(2)})
    checkpoints.save_best({"a": torch.ones(2)})
    assert torch.equal(checkpoints.load_best()["a"], torch.ones(2))
    checkpoints.clear()
    assert list(tmp_path.iterdir()) == []


def test_the_state_remembers_the_best_evaluation() -> None:
    state = TrainingState().evaluated(LOOK)
    state = state._replace(step=5).evaluated(LOOK._replace(loss=0.2))
    state = state._replace(step=6).evaluated(LOOK._replace(loss=0.2))
    state = state._replace(step=7).evaluated(LOOK._replace(loss=0.9))
    assert (state.best_step, state.stale) == (5, 2)
    assert state.before == LOOK
    assert state.last is not None
    assert state.last.loss == 0.9


def test_the_state_remembers_the_lowest_cross_entropy_whatever_the_loss(tmp_path: Path) -> None:
    state = TrainingState().evaluated(LOOK)
    state = state._replace(step=3).evaluated(LOOK._replace(loss=9.0, ce=1.0))
    state = state._replace(step=4).evaluated(LOOK._replace(loss=0.1, ce=1.5))
    assert (state.lowest_ce_step, state.best_step) == (3, 4)
    checkpoints = Checkpoints(tmp_path, HeldOut.from_record)
    checkpoints.save(TrainingCheckpoint({"a": torch.ones(1)}, {}, state))
    assert checkpoints.load(4).state == state
    checkpoints.save_best({"a": torch.ones(2)}, "lowest-ce")
    checkpoints.save_best({"a": torch.zeros(2)})
    assert torch.equal(checkpoints.load_best("lowest-ce")["a"], torch.ones(2))


def test_agreement_can_be_what_is_judged_and_none_is_the_worst() -> None:
    state = TrainingState()
    for step, kappa in enumerate((None, 0.2, 0.6, None, 0.5)):
        state = state._replace(step=step).evaluated(LOOK._replace(kappa=kappa, loss=-step), "kappa")
    assert (state.best_step, state.stale) == (2, 2)
