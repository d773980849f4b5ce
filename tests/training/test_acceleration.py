"""The precision of a training is the user's choice, in every training of a process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.torch import load_file

from phraseproof.errors import RunError, UsageError
from support import tiny_models
from support.tiny_trainings import Watcher, train


@pytest.fixture(params=["t5", "llama"])
def model(request: pytest.FixtureRequest) -> Path:
    return tiny_models.tiny_t5() if request.param == "t5" else tiny_models.tiny_llama()


@pytest.fixture
def fresh_accelerate() -> None:
    """Accelerate as in a new process: other tests may have used it with a precision of their own."""
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.mark.usefixtures("fresh_accelerate")
@pytest.mark.parametrize("method", ["pt+kl", "ft+kl", "lora+kl"])
def test_bfloat16_has_nearly_the_losses_of_float32_and_keeps_values_in_float32(
    model: Path, method: str, tmp_path: Path
) -> None:
    losses: list[list[float | None]] = []
    for precision in ("bf16", "no"):
        watcher, out = Watcher(), tmp_path / precision
        train(
            *(model, out),
            method=method,
            mixed_precision=precision,
            max_steps=2,
            learning_rate=1e-4,
            held_out_fraction=0.0,
            observer=watcher,
        )
        losses.append([report.loss for report in watcher.reports[1:]])
        (weights,) = (load_file(path) for path in out.glob("*.safetensors"))
        assert {value.dtype for value in weights.values()} == {torch.float32}
        # Steps of 1e-4 are lost where values are rounded to eight bits.
        assert any(not torch.equal(value, value.bfloat16().float()) for value in weights.values())
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    assert losses[0] != losses[1]


@pytest.mark.usefixtures("fresh_accelerate")
def test_float16_on_a_cpu_is_refused_in_one_line_and_later_trainings_are_not(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--mixed-precision: float16 on a CPU") as raised:
        train(tiny_models.tiny_t5(), tmp_path / "a", mixed_precision="fp16")
    assert "\n" not in str(raised.value)
    train(tiny_models.tiny_t5(), tmp_path / "b", max_steps=1)
    assert (tmp_path / "b" / "adapter_model.safetensors").is_file()


@pytest.mark.usefixtures("fresh_accelerate")
def test_a_training_is_not_resumed_in_another_precision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    train(tiny_models.tiny_llama(), tmp_path / "out", max_steps=1)
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    with pytest.raises(RunError, match="other settings: mixed_precision"):
        train(tiny_models.tiny_llama(), tmp_path / "out", max_steps=1)
